"""Paper: A4 pages in an embedded Unicode font, with a line at the foot of each."""

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from services.reporting.exports.typeface import FALLBACK, MAIN, advances, needs_shaping, printable, unpack

MEDIA_TYPE: Final = "application/pdf"

MARGIN: Final = 14.0
INK: Final = (28, 32, 38)
GREY: Final = (105, 112, 122)
RULE: Final = (200, 204, 210)
SHADE: Final = (242, 244, 247)

Side = Literal["L", "R"]

# Stands for the number of pages until that is known: nothing that a customer is called.
_PAGES: Final = "{number of pages}"


class Paper(FPDF):
    """An A4 document with one font, a line at the foot of each page."""

    def __init__(
        self, title: str, foot: str, landscape: bool = False, made_at: datetime | None = None
    ) -> None:
        """Begin a document, without a page yet; `foot` stands at the left of every page's last line."""
        super().__init__("landscape" if landscape else "portrait", "mm", "A4")
        self.foot = printable(foot)
        self._shaped_widths: dict[tuple[str, str, float], float] = {}
        folder = tempfile.mkdtemp(prefix="openitem-fonts-")
        # At the latest with the document, also one that is given up halfway.
        self._tidy = weakref.finalize(self, shutil.rmtree, folder)
        for (family, style), path in unpack(Path(folder)).items():
            self.add_font(family, style, path)
        self.set_fallback_fonts([FALLBACK])
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.c_margin = 0
        # Kept clear for the line at the foot.
        self.set_auto_page_break(True, 18)
        self.set_title(printable(title))
        self.alias_nb_pages(_PAGES)
        self.set_creator("Openitem")
        self.set_lang("en")
        if made_at is not None:
            self.set_creation_date(made_at)
        self.write_in(9)

    def footer(self) -> None:
        """Draw the last line of a page: what it belongs to, and which of how many it is."""
        self.set_y(-13)
        self.rule()
        self.set_y(-11.5)
        self.write_in(7.5, color=GREY)
        self.put(self.foot, self.l_margin, self.epw * 0.8, 5)
        # The number of pages is filled in at the end; until then this page's own stands for its width.
        width = self.measure(f"Page {self.page_no()} of {self.page_no()}")
        self.set_x(self.w - self.r_margin - width)
        self.cell(width, 5, f"Page {self.page_no()} of {_PAGES}")

    def finish(self) -> bytes:
        """Give the document, complete."""
        made = bytes(self.output())
        self._tidy()
        return made

    def write_in(self, size: float, bold: bool = False, color: tuple[int, int, int] = INK) -> None:
        """Choose size in points, weight and colour of what is written next."""
        self.set_font(MAIN, "B" if bold else "", size)
        self.set_text_color(*color)

    def measure(self, text: str) -> float:
        """Give the width of printable text in millimetres, as it would be written now."""
        if not needs_shaping(text):
            # The sum that fpdf2 would come to as well, many times sooner.
            widths = advances(self.font_style)
            return sum(widths[letter] for letter in text) * self.font_size
        key = (text, self.font_style, self.font_size_pt)
        if key not in self._shaped_widths:
            with self._shaping():
                self._shaped_widths[key] = self.get_string_width(text)
        return self._shaped_widths[key]

    def put(self, text: str, x: float, width: float, height: float, side: Side = "L") -> None:
        """Write printable text into a box at `x` on the current line, cut with an ellipsis if too long."""
        shown = self.cut(text, width)
        self.set_x(x)
        if needs_shaping(shown):
            with self._shaping():
                self.cell(width, height, shown, align=side, new_x=XPos.LEFT, new_y=YPos.TOP)
        else:
            self.cell(width, height, shown, align=side, new_x=XPos.LEFT, new_y=YPos.TOP)

    def paragraph(self, text: str, height: float, width: float) -> None:
        """Write printable text in as many lines as it takes, and go below it."""
        for line in self.wrap(text, width) or [""]:
            self.make_room(height)
            self.put(line, self.l_margin, width, height)
            self.set_y(self.y + height)

    def wrap(self, text: str, width: float) -> list[str]:
        """Break printable text into lines of at most `width` millimetres, a longer word within itself."""
        if self.measure(text) <= width:
            return [text] if text else []
        lines, line = [], ""
        for word in text.split(" "):
            longer = f"{line} {word}" if line else word
            if self.measure(longer) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while line and self.measure(line) > width:
                fits = self._fitting(line, width)
                lines.append(line[:fits])
                line = line[fits:]
        return [*lines, line] if line else lines

    def cut(self, text: str, width: float) -> str:
        """Give printable text, or what of it fits with an ellipsis."""
        # Rounding makes a line that was wrapped to a width a hair wider than it.
        if self.measure(text) <= width + 0.01:
            return text
        return f"{text[: self._fitting(text, width - self.measure('…'))].rstrip()}…"

    def make_room(self, height: float) -> bool:
        """Begin a new page unless so many millimetres are left on this one; say whether it did."""
        if self.y + height <= self.page_break_trigger:
            return False
        self.add_page()
        return True

    def rule(self, color: tuple[int, int, int] = RULE) -> None:
        """Draw a line across the page, here."""
        self.set_draw_color(*color)
        self.line(self.l_margin, self.y, self.w - self.r_margin, self.y)

    def _fitting(self, text: str, width: float) -> int:
        """Say how many characters fit, at least one."""
        few, many = 1, len(text)
        while few < many:
            middle = (few + many + 1) // 2
            if self.measure(text[:middle]) <= width:
                few = middle
            else:
                many = middle - 1
        return few

    @contextmanager
    def _shaping(self) -> Iterator[None]:
        # Only where it is needed: it takes many times as long.
        self.set_text_shaping(True)
        try:
            yield
        finally:
            self.set_text_shaping(False)
