"""Charts as SVG text: the aging bar and the months. Colours are classes of the style sheet.

Both stretch to the width they are given, so there is no text in them that would stretch along: the figures
stand beneath in the page, and each has a title and a description for those who do not see it.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from markupsafe import Markup

from contracts.money import decimal_text, split
from services.reporting.domain.aging import Figure

WIDTH: Final = 10_000
BAR_HEIGHT: Final = 28
MONTHS_HEIGHT: Final = 1_000

AGES: Final = 5
"""How many steps of colour the style sheet has, from not due to long overdue."""

_SVG: Final = Markup(
    '<svg class="{css}" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img"'
    ' aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{title}</title>'
    '<desc id="{name}-desc">{desc}</desc>{marks}</svg>'
)
_RECT: Final = Markup('<rect class="{css}" x="{x}" y="{y}" width="{width}" height="{height}">{title}</rect>')
_TITLE: Final = Markup("<title>{text}</title>")
_LINE: Final = Markup('<line class="{css}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>')


class Point(NamedTuple):
    """A month of a trend, with an amount in minor units."""

    label: str
    amount: int


def age_class(index: int, buckets: int) -> str:
    """Name the colour of a bucket: the first is the calmest, the last the strongest."""
    return f"age-{index * (AGES - 1) // max(buckets - 1, 1)}"


def aging_bar(figures: Sequence[Figure], currency: str, name: str, title: str) -> Markup:
    """Draw the buckets of an aging as one stacked bar, every part as wide as its amount.

    What is owed runs to the right of a line at zero; a bucket in credit runs to its left. Nothing at all
    is an empty track. `name` is unique on the page; amounts are minor units of `currency`.
    """
    sizes = [abs(figure.amount) for figure in figures]
    if sum(sizes) == 0:
        return _svg(
            "chart bar",
            BAR_HEIGHT,
            name,
            title,
            "Nothing is open.",
            [_rect("track", 0, 0, WIDTH, BAR_HEIGHT)],
        )
    widths = split(WIDTH, sizes)
    credit = [width if figure.amount < 0 else 0 for figure, width in zip(figures, widths, strict=True)]
    owed = [width - left for width, left in zip(widths, credit, strict=True)]
    zero = sum(credit)
    marks = []
    # Credits run outwards from zero as well: the first bucket lies next to it on both sides.
    for index, figure in enumerate(figures):
        x = zero + sum(owed[:index]) if owed[index] else zero - sum(credit[: index + 1])
        if widths[index]:
            css = age_class(index, len(figures)) + (" credit" if credit[index] else "")
            marks.append(
                _rect(css, x, 0, widths[index], BAR_HEIGHT, _said(figure.bucket, figure.amount, currency))
            )
    if zero:
        marks.append(_LINE.format(css="zero", x1=zero, y1=0, x2=zero, y2=BAR_HEIGHT))
    desc = "; ".join(_said(figure.bucket, figure.amount, currency) for figure in figures) + "."
    return _svg("chart bar", BAR_HEIGHT, name, title, desc, marks)


def monthly_bars(points: Sequence[Point], currency: str, name: str, title: str) -> Markup:
    """Draw an amount per month as bars from one line at zero; what is negative hangs below it.

    `name` is unique on the page; amounts are minor units of `currency`.
    """
    highest = max((point.amount for point in points), default=0)
    above, below = max(highest, 0), max(-min((point.amount for point in points), default=0), 0)
    zero, _ = split(MONTHS_HEIGHT, [above, below]) if above + below else (MONTHS_HEIGHT, 0)
    edges = [0, *accumulate(split(WIDTH, [1] * len(points)))] if points else [0]
    marks = list(_months(points, currency, edges, zero, above + below))
    marks.append(_LINE.format(css="zero", x1=0, y1=zero, x2=WIDTH, y2=zero))
    desc = "; ".join(_said(point.label, point.amount, currency) for point in points) or "No month yet"
    return _svg("chart months", MONTHS_HEIGHT, name, title, f"{desc}.", marks)


def _months(
    points: Sequence[Point], currency: str, edges: Sequence[int], zero: int, scale: int
) -> Iterator[Markup]:
    for index, point in enumerate(points):
        if point.amount == 0:
            continue
        size = abs(point.amount) * MONTHS_HEIGHT // scale
        slot = edges[index + 1] - edges[index]
        gap = slot // 8
        last = " last" if index == len(points) - 1 else ""
        y = zero - size if point.amount > 0 else zero
        text = _said(point.label, point.amount, currency)
        yield _rect(f"month{last}", edges[index] + gap, y, slot - 2 * gap, size, text)


def _said(label: str, amount: int, currency: str) -> str:
    return f"{label}: {decimal_text(amount, currency)} {currency}"


def _rect(css: str, x: int, y: int, width: int, height: int, text: str = "") -> Markup:
    title = _TITLE.format(text=text) if text else ""
    return _RECT.format(css=css, x=x, y=y, width=width, height=height, title=title)


def _svg(css: str, height: int, name: str, title: str, desc: str, marks: Sequence[Markup]) -> Markup:
    return _SVG.format(
        css=css, width=WIDTH, height=height, name=name, title=title, desc=desc, marks=Markup("").join(marks)
    )
