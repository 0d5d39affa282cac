"""The typeface of everything on paper: which fonts, and what they can print."""

import io
import logging
from functools import cache
from pathlib import Path
from typing import Final

import pymupdf_fonts
from fontTools.ttLib import TTFont

MAIN: Final = "notosans"
"""Noto Sans: Latin, Greek and Cyrillic, and digits of one width, so that amounts line up."""

FALLBACK: Final = "firago"
"""FiraGO, for what Noto Sans lacks: Arabic, Devanagari, Georgian, Hebrew and Thai."""

# Both are under the SIL Open Font License 1.1, which lets documents embed them.
_FONTS: Final = {
    (MAIN, ""): "notos",
    (MAIN, "B"): "notosbo",
    (FALLBACK, ""): "figo",
    (FALLBACK, "B"): "figbo",
}

REPLACEMENT: Final = "\ufffd"
"""Printed for a character that neither font has, a white question mark on black: never silently nothing."""


def unpack(folder: Path) -> dict[tuple[str, str], Path]:
    """Write the fonts into a folder, and give their files by family and style.

    fpdf2 takes fonts only from files, and until the document is made.
    """
    # Once a document it would warn that hints for drawing the font anew are left out of it.
    logging.getLogger("fontTools.subset").setLevel(logging.ERROR)
    files = {}
    for key, name in _FONTS.items():
        files[key] = folder / f"{name}.ttf"
        files[key].write_bytes(pymupdf_fonts.fontbuffers[name]())
    return files


@cache
def advances(style: str) -> dict[str, float]:
    """Give how wide each character of the main font is, as a share of the size of its letters."""
    font = _font(MAIN, style)
    units, widths = font["head"].unitsPerEm, font["hmtx"]
    return {chr(code): widths[glyph][0] / units for code, glyph in font.getBestCmap().items()}


@cache
def _characters(family: str) -> frozenset[str]:
    """Give what both weights of a family have, so that no name loses letters in a line of totals."""
    normal, bold = (_font(family, style).getBestCmap() for style in ("", "B"))
    return frozenset(map(chr, normal.keys() & bold.keys()))


def _font(family: str, style: str) -> TTFont:
    return TTFont(io.BytesIO(pymupdf_fonts.fontbuffers[_FONTS[family, style]]()))


def printable(text: str) -> str:
    """Give text as the fonts can print it: what they lack as REPLACEMENT, white space as single spaces."""
    text = " ".join(text.split())
    main = _characters(MAIN)
    if main.issuperset(text):
        return text
    fallback = _characters(FALLBACK)
    return "".join(letter if letter in main or letter in fallback else REPLACEMENT for letter in text)


def needs_shaping(text: str) -> bool:
    """Say whether text has letters beyond the main font: their scripts join, stack or run from the right."""
    return not _characters(MAIN).issuperset(text)
