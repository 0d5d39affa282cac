"""Tables on paper: numbers whole and at the right, text wrapped, the header again on every page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.reporting.exports.paper import GREY, RULE, SHADE, Paper, Side
from services.reporting.exports.typeface import printable

SIZES: Final = (8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0)
"""Sizes of letters in points, tried until the numbers fit."""

# Room between columns, and above and below a row's text, in millimetres.
_GAP: Final = 3.0
_AIR: Final = 1.1

# What a column of text needs at least to be of use, in millimetres.
_LEAST: Final = 14.0

# A longer text is cut, so that a row always fits on a page.
_MOST_LINES: Final = 8


class TooWide(ValueError):
    """The table has more columns than fit side by side on a page."""


@dataclass(frozen=True)
class Track:
    """A column as it is drawn. One that is `whole` never wraps; the others share what is left by `weight`."""

    heading: str
    weight: float = 1
    side: Side = "L"
    whole: bool = False


def draw_table(
    paper: Paper,
    tracks: Sequence[Track],
    rows: Sequence[Sequence[str]],
    totals: Sequence[Sequence[str]] = (),
) -> None:
    """Draw a table over the full width of the page, from here on.

    Raises TooWide where not even the smallest letters would show every number whole.
    """
    rows = [[printable(text) for text in row] for row in rows]
    totals = [[printable(text) for text in row] for row in totals]
    for size in SIZES:
        widths = _widths(paper, tracks, [*rows, *totals], size)
        if widths is not None:
            break
    else:
        raise TooWide(
            f"A table of {len(tracks)} columns does not fit on a page. Choose fewer columns, Excel or CSV."
        )
    _Drawing(paper, tracks, widths, size).draw(rows, totals)


def _widths(
    paper: Paper, tracks: Sequence[Track], rows: Sequence[Sequence[str]], size: float
) -> list[float] | None:
    """Give the columns' widths in millimetres at a size of letters, or None where they do not fit."""
    paper.write_in(size, bold=True)
    natural = [_natural(paper, track, [row[number] for row in rows]) for number, track in enumerate(tracks)]
    space = paper.epw - _GAP * (len(tracks) - 1)
    left = space - sum(width for width, track in zip(natural, tracks, strict=True) if track.whole)
    texts = [number for number, track in enumerate(tracks) if not track.whole]
    if left < _LEAST * len(texts):
        return None
    if not texts:
        return [width + left / len(tracks) for width in natural]
    shared = _shared(left, [natural[number] for number in texts], [tracks[number].weight for number in texts])
    for number, width in zip(texts, shared, strict=True):
        natural[number] = width
    return natural


def _natural(paper: Paper, track: Track, texts: Sequence[str]) -> float:
    """Give how wide a column would be if nothing in it wrapped but its heading."""
    words = [paper.measure(word) for word in printable(track.heading).split()]
    # All digits are of one width: of numbers, the longest is the widest. Of text it is a good guess.
    longest = max(texts, key=len, default="")
    widest = max(paper.measure(longest), *words, 0.0)
    return widest + 0.2 if track.whole else max(widest, _LEAST)


def _shared(space: float, natural: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Share space among columns of text: each what it needs, if it needs less than its share."""
    widths = [0.0] * len(natural)
    open_ = list(range(len(natural)))
    while open_:
        weight = sum(weights[number] for number in open_)
        modest = [n for n in open_ if natural[n] <= max(_LEAST, space * weights[n] / weight)]
        if not modest or len(modest) == len(open_):
            # What nobody needs goes to all, as does what is too little for all.
            spare = space - sum(natural[n] for n in open_) if modest else space
            for number in open_:
                part = spare * weights[number] / weight
                widths[number] = natural[number] + part if modest else part
            break
        for number in modest:
            widths[number] = natural[number]
            space -= natural[number]
            open_.remove(number)
    return widths


class _Drawing:
    """One table being drawn on one paper."""

    def __init__(self, paper: Paper, tracks: Sequence[Track], widths: Sequence[float], size: float) -> None:
        self._paper = paper
        self._tracks = tracks
        self._widths = widths
        self._size = size
        self._line = size * 0.46
        self._left: list[float] = []
        x = paper.l_margin
        for width in widths:
            self._left.append(x)
            x += width + _GAP

    def draw(self, rows: Sequence[Sequence[str]], totals: Sequence[Sequence[str]]) -> None:
        self._header()
        for row in rows:
            self._row(row)
        self._totals(totals)

    def _header(self) -> None:
        paper = self._paper
        paper.write_in(self._size, bold=True, color=GREY)
        cells = [
            paper.wrap(printable(track.heading), width)
            for track, width in zip(self._tracks, self._widths, strict=True)
        ]
        height = self._height(cells)
        # Never a header alone at the foot of a page.
        if paper.make_room(height + 2 * self._height([[""]])):
            paper.write_in(self._size, bold=True, color=GREY)
        paper.set_fill_color(*SHADE)
        paper.rect(paper.l_margin - 1.5, paper.y, paper.epw + 3, height, style="F")
        self._lines(cells, height)

    def _row(self, row: Sequence[str]) -> None:
        self._paper.write_in(self._size)
        cells = self._wrapped(row)
        height = self._height(cells)
        if self._paper.y + height > self._paper.page_break_trigger:
            self._paper.add_page()
            self._header()
            self._paper.write_in(self._size)
        self._lines(cells, height)
        self._paper.rule(RULE)

    def _totals(self, totals: Sequence[Sequence[str]]) -> None:
        for number, row in enumerate(totals):
            self._paper.write_in(self._size, bold=True)
            cells = self._wrapped(row)
            height = self._height(cells)
            if self._paper.y + height > self._paper.page_break_trigger:
                self._paper.add_page()
                self._header()
                self._paper.write_in(self._size, bold=True)
            if number == 0:
                self._paper.rule(GREY)
            self._lines(cells, height)

    def _wrapped(self, row: Sequence[str]) -> list[list[str]]:
        cells = []
        for text, track, width in zip(row, self._tracks, self._widths, strict=True):
            lines = [text] if track.whole else self._paper.wrap(text, width)
            if len(lines) > _MOST_LINES:
                lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]}…"]
            cells.append(lines)
        return cells

    def _height(self, cells: Sequence[Sequence[str]]) -> float:
        return max(1, *(len(lines) for lines in cells), 0) * self._line + 2 * _AIR

    def _lines(self, cells: Sequence[Sequence[str]], height: float) -> None:
        paper = self._paper
        top = paper.y
        for lines, track, width, x in zip(cells, self._tracks, self._widths, self._left, strict=True):
            for number, text in enumerate(lines):
                if text:
                    paper.set_y(top + _AIR + number * self._line)
                    paper.put(text, x, width, self._line, track.side)
        paper.set_y(top + height)
