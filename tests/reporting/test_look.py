"""The ground of the console: words, amounts, addresses, charts, and templates that render strictly."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from xml.etree import ElementTree

import pytest
from jinja2 import UndefinedError

from contracts.fields import (
    ApplicationOutcome,
    ClearingCause,
    CustomerStatus,
    DocumentKind,
    InstrumentStatus,
    InvoiceStatus,
    NoteKind,
    PaymentKind,
    PaymentStatus,
)
from services.reporting.domain.aging import Figure
from services.reporting.domain.notes import NoteStatus, Standing
from services.reporting.web.charts import Point, age_class, aging_bar, monthly_bars
from services.reporting.web.format import (
    STATIC,
    TONES,
    WORDS,
    asset,
    count,
    day,
    environment,
    instant,
    moment,
    money,
    share,
    word,
)
from services.reporting.web.page import SECTIONS, Address, Happening, Notice, Page
from services.reporting.web.telling import detail_of

NOW: Final = datetime(2026, 6, 30, 10, 42, 7, tzinfo=UTC)
PAGE: Final = Page(
    "Aging", "aging", Address("/aging", (("entity", "US1"), ("sort", "-total"), ("page", "3"))), NOW, 2
)
ENV: Final = environment()
SVG: Final = "{http://www.w3.org/2000/svg}"


def rendered(source: str, page: Page = PAGE) -> str:
    return ENV.from_string('{% import "macros.html" as ui %}' + source).render(page=page)


def figures(*amounts: int) -> list[Figure]:
    names = ("current", "1-30", "31-60", "61-90", "90+")
    return [Figure(name, amount, 1) for name, amount in zip(names, amounts, strict=True)]


def bars(svg: str) -> list[tuple[str, int, int, int, int]]:
    """Read the class, x, y, width and height of every rectangle."""
    found = ElementTree.fromstring(svg).iter("rect")
    return [
        (rect.attrib["class"], *(int(rect.attrib[each]) for each in ("x", "y", "width", "height")))  # type: ignore[misc]
        for rect in found
    ]


# --- Words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("invoice", InvoiceStatus),
        ("clearing", ClearingCause),
        ("payment", PaymentStatus),
        ("instrument", InstrumentStatus),
        ("application", ApplicationOutcome),
        ("document kind", DocumentKind),
        ("payment kind", PaymentKind),
        ("customer", CustomerStatus),
        ("note kind", NoteKind),
        ("note", NoteStatus),
        ("promise", Standing),
    ],
)
def test_every_state_has_a_word_and_a_tone(kind: str, members: type[StrEnum]) -> None:
    assert list(WORDS[kind]) == list(members)
    said = [WORDS[kind][member] for member in members]
    assert len({each.text for each in said}) == len(said)
    assert {each.tone for each in said} <= set(TONES)


def test_every_tone_has_a_colour() -> None:
    sheet = (STATIC / "console.css").read_text()
    assert all(f".tone-{tone}::before" in sheet for tone in TONES)


def test_the_same_state_is_said_as_its_kind_says_it() -> None:
    assert word("OPEN", "invoice").text == "Open"
    assert word("BOUNCED", "payment") == ("Bounced", "bad")
    assert word("PAID", "instrument") == ("Paid", "good")
    assert word("PAID_CONDITIONALLY", "instrument").text == "Paid conditionally"
    with pytest.raises(KeyError):
        word("BOUNCED", "invoice")


# --- Amounts, dates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (124000, "USD", "1,240.00"),
        (-124000, "USD", "\N{MINUS SIGN}1,240.00"),
        (5, "USD", "0.05"),
        (-5, "USD", "\N{MINUS SIGN}0.05"),
        (99999, "USD", "999.99"),
        (100000, "USD", "1,000.00"),
        (1234567, "JPY", "1,234,567"),
        (1234567, "BHD", "1,234.567"),
        (10**15, "USD", "10,000,000,000,000.00"),
        (0, "USD", "\N{EN DASH}"),
        (0, "JPY", "\N{EN DASH}"),
    ],
)
def test_an_amount_is_written_for_a_column(minor: int, currency: str, text: str) -> None:
    assert money(minor, currency) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1, 3, "33.3\N{NO-BREAK SPACE}%"),
        (2, 3, "66.7\N{NO-BREAK SPACE}%"),
        (-1, 8, "\N{MINUS SIGN}12.5\N{NO-BREAK SPACE}%"),
        (-1, -8, "12.5\N{NO-BREAK SPACE}%"),
        (5, 4, "125.0\N{NO-BREAK SPACE}%"),
        (0, 4, "\N{EN DASH}"),
        (5, 0, "\N{EN DASH}"),
    ],
)
def test_a_share_has_one_decimal(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


def test_numbers_of_things_are_grouped() -> None:
    assert count(1204) == "1,204"
    assert count(0) == "\N{EN DASH}"


def test_dates_are_unambiguous() -> None:
    assert day(date(2026, 2, 3)) == "2026-02-03"
    assert day(date(999, 2, 3)) == "0999-02-03"
    assert instant(datetime.fromisoformat("2026-06-30T12:42:07+02:00")) == "2026-06-30 10:42:07 UTC"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(), "just now"),
        (timedelta(milliseconds=900), "just now"),
        (timedelta(seconds=1), "1 second ago"),
        (timedelta(seconds=59), "59 seconds ago"),
        (timedelta(minutes=3, seconds=59), "3 minutes ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=1200), "1,200 days ago"),
        (-timedelta(hours=2), "in 2 hours"),
    ],
)
def test_a_moment_is_said_from_now(ago: timedelta, text: str) -> None:
    assert moment(NOW - ago, NOW) == text


# --- Addresses ---------------------------------------------------------------------------------------


def test_an_address_keeps_what_is_not_changed() -> None:
    address = Address("/aging", (("entity", "US1"), ("customer", "A & B"), ("page", "3")))
    assert address.but(page=4) == "/aging?entity=US1&customer=A+%26+B&page=4"
    assert address.but(page=None) == "/aging?entity=US1&customer=A+%26+B"
    assert Address("/aging").but(page=None) == "/aging"
    assert address.get("entity") == "US1"
    assert address.get("scheme", "default") == "default"


def test_sorting_turns_around_and_begins_at_the_first_page() -> None:
    assert PAGE.address.sorted_by("total", "-total") == "/aging?entity=US1&sort=total"
    assert PAGE.address.sorted_by("total", "total") == "/aging?entity=US1&sort=-total"
    assert PAGE.address.sorted_by("customer", "-total") == "/aging?entity=US1&sort=customer"


# --- Charts ------------------------------------------------------------------------------------------


def test_parts_of_the_aging_bar_are_as_wide_as_their_amounts() -> None:
    svg = aging_bar(figures(5000, 2500, 0, 1500, 1000), "USD", "a", "Aging")
    assert bars(svg) == [
        ("age-0", 0, 0, 5000, 28),
        ("age-1", 5000, 0, 2500, 28),
        ("age-3", 7500, 0, 1500, 28),
        ("age-4", 9000, 0, 1000, 28),
    ]


@pytest.mark.parametrize("amounts", [(1, 1, 1, 0, 0), (10**15, 3, 10**14, 7, 1), (-1, 2, -4, 8, 16)])
def test_parts_of_the_aging_bar_fill_it_exactly(amounts: Sequence[int]) -> None:
    parts = sorted(bars(aging_bar(figures(*amounts), "USD", "a", "Aging")), key=lambda part: part[1])
    edge = 0
    for _, x, _, width, _ in parts:
        assert x == edge
        edge = x + width
    assert edge == 10_000


def test_a_bucket_in_credit_runs_to_the_left_of_zero() -> None:
    svg = aging_bar(figures(-1000, 6000, -1000, 2000, 0), "USD", "a", "Aging")
    assert bars(svg) == [
        ("age-0 credit", 1000, 0, 1000, 28),
        ("age-1", 2000, 0, 6000, 28),
        ("age-2 credit", 0, 0, 1000, 28),
        ("age-3", 8000, 0, 2000, 28),
    ]
    assert '<line class="zero" x1="2000"' in svg


def test_credits_alone_and_sums_of_zero_are_drawn() -> None:
    assert bars(aging_bar(figures(-5, 0, 0, 0, 0), "USD", "a", "Aging")) == [
        ("age-0 credit", 0, 0, 10_000, 28)
    ]
    assert [width for _, _, _, width, _ in bars(aging_bar(figures(-5, 5, 0, 0, 0), "USD", "a", "Aging"))] == [
        5000,
        5000,
    ]


def test_without_anything_open_the_bar_is_an_empty_track() -> None:
    svg = aging_bar(figures(0, 0, 0, 0, 0), "USD", "a", "Aging")
    assert bars(svg) == [("track", 0, 0, 10_000, 28)]
    assert "Nothing is open." in svg


def test_a_chart_says_what_it_shows() -> None:
    svg = aging_bar(figures(124000, -5, 0, 0, 0), "USD", "a", "Aging of <Smith & Sons>")
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "a-title a-desc"
    assert root.findtext("title") == "Aging of <Smith & Sons>"
    assert root.findtext("desc") == (
        "current: 1240.00 USD; 1-30: -0.05 USD; 31-60: 0.00 USD; 61-90: 0.00 USD; 90+: 0.00 USD."
    )


@pytest.mark.parametrize(
    ("buckets", "classes"),
    [
        (1, ["age-0"]),
        (2, ["age-0", "age-4"]),
        (4, ["age-0", "age-1", "age-2", "age-4"]),
        (5, ["age-0", "age-1", "age-2", "age-3", "age-4"]),
    ],
)
def test_colours_of_buckets_go_from_calm_to_strong(buckets: int, classes: list[str]) -> None:
    assert [age_class(index, buckets) for index in range(buckets)] == classes


def test_months_stand_on_zero_and_hang_below_it() -> None:
    points = [Point("2026-04", 3000), Point("2026-05", -1000), Point("2026-06", 0), Point("2026-07", 1500)]
    svg = monthly_bars(points, "USD", "m", "Invoiced by month")
    # 3000 above and 1000 below: zero is at three quarters of a height of 1000.
    assert [(css, y, height) for css, _, y, _, height in bars(svg)] == [
        ("month", 0, 750),
        ("month", 750, 250),
        ("month last", 375, 375),
    ]
    assert '<line class="zero" x1="0" y1="750" x2="10000" y2="750"/>' in svg
    assert len({width for _, _, _, width, _ in bars(svg)}) == 1


def test_no_months_and_months_of_nothing_are_drawn() -> None:
    assert "No month yet." in monthly_bars([], "USD", "m", "Invoiced")
    assert bars(monthly_bars([Point("2026-06", 0)], "USD", "m", "Invoiced")) == []
    assert [bar[2:] for bar in bars(monthly_bars([Point("2026-06", -7)], "USD", "m", "Invoiced"))] == [
        (0, 7500, 1000)
    ]


# --- Templates ---------------------------------------------------------------------------------------


def test_a_page_names_itself_its_section_and_how_far_it_has_read() -> None:
    html = ENV.get_template("base.html").render(page=PAGE)
    assert "<title>Aging · Openitem</title>" in html
    assert '<a href="/aging" aria-current="page">Aging</a>' in html
    assert [section.label for section in SECTIONS if f">{section.label}</a>" not in html] == []
    assert "2026-06-30 10:42:05 UTC</time>, 2 seconds behind" in html
    assert html.count("aria-current") == 1


@pytest.mark.parametrize(
    ("behind", "css", "text"),
    [
        (0, '"freshness"', "Up to date at"),
        (29, '"freshness"', "29 seconds behind"),
        (125, '"freshness late"', "2 minutes behind"),
        (None, '"freshness late"', "It is not known how far this page has read."),
    ],
)
def test_old_figures_are_owned_up_to(behind: int | None, css: str, text: str) -> None:
    html = ENV.get_template("base.html").render(page=PAGE._replace(seconds_behind=behind))
    assert f"<p class={css}>" in html
    assert text in html


def test_what_came_of_a_command_is_announced() -> None:
    notices = (
        Notice("sent", "1,240.00 to 3 invoices.", "C-1"),
        Notice("done", "Applied.", "C-2"),
        Notice("refused", "the invoice is cleared. Choose another."),
    )
    html = ENV.get_template("base.html").render(page=PAGE._replace(notices=notices))
    assert 'aria-live="polite"' in html
    assert 'class="notice notice-sent" data-command="C-1"' in html
    # What is done is not waited for.
    assert html.count("data-command") == 1
    assert '<strong>Refused, because</strong> <span class="text">the invoice is cleared.' in html


def test_an_error_page_has_a_remedy() -> None:
    html = ENV.get_template("error.html").render(
        page=PAGE, status=404, reason="There is no invoice <X>.", remedy="Search for its number."
    )
    assert "There is no invoice &lt;X&gt;." in html
    assert "Search for its number." in html
    assert "freshness" not in html


def test_a_name_that_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendered("{{ invoice }}")
    with pytest.raises(UndefinedError):
        ENV.get_template("error.html").render(page=PAGE, status=404, reason="No.")


def test_amounts_are_links_to_what_they_are_made_of() -> None:
    assert rendered('{{ ui.money(-5, "USD") }}') == '<span class="money negative">\N{MINUS SIGN}0.05</span>'
    assert rendered('{{ ui.money(0, "JPY") }}') == '<span class="money zero">\N{EN DASH}</span>'
    assert rendered('{{ ui.amount(124000, "USD", "/items?a=1&b=2") }}') == (
        '<td class="number"><a class="money" href="/items?a=1&amp;b=2">1,240.00</a></td>'
    )


def test_a_state_is_a_word_with_a_colour() -> None:
    assert rendered('{{ ui.state("invoice", "PARTIALLY_CLEARED") }}') == (
        '<span class="state tone-live">Partially cleared</span>'
    )


def test_a_table_says_how_it_is_sorted_and_how_to_sort_it() -> None:
    html = rendered(
        '{% call ui.table("t", "By customer", [column("Customer", "customer"),'
        ' column("Total", "total", true), column("Note")], page) %}<tbody></tbody>{% endcall %}'
    )
    assert '<div class="scroll" role="region" aria-labelledby="t-caption" tabindex="0">' in html
    assert '<caption id="t-caption">By customer</caption>' in html
    assert '<th scope="col"><a href="/aging?entity=US1&amp;sort=customer">Customer</a></th>' in html
    assert (
        '<th scope="col" class="number" aria-sort="descending">'
        '<a href="/aging?entity=US1&amp;sort=total">Total</a>'
    ) in html
    assert '<th scope="col">Note</th>' in html
    # The order that is used when the address names none is shown as well.
    plain = PAGE._replace(address=Address("/aging"))
    column = '{% call ui.table("t", "T", [column("Due", "due")], page, sort="due") %}{% endcall %}'
    assert 'aria-sort="ascending"><a href="/aging?sort=-due">' in rendered(column, plain)


def test_a_refused_field_keeps_what_was_typed_and_says_why() -> None:
    html = rendered(
        '{{ ui.field("amount", "Amount", "<12>", hint="At most 12.40.",'
        ' error="Write 12.40.", required=true) }}'
    )
    assert (
        'value="&lt;12&gt;" required aria-invalid="true" aria-describedby="amount-hint amount-error">' in html
    )
    assert '<p class="error" id="amount-error">Write 12.40.</p>' in html
    assert "optional" not in html
    assert "aria-describedby" not in rendered('{{ ui.field("note", "Note") }}')


def test_filters_live_in_the_address_and_keep_the_order() -> None:
    html = rendered(
        "{% call ui.filters(page) %}"
        '{{ ui.options("e", "Entity", [choice("US1", "US")], "US1") }}{% endcall %}'
    )
    assert '<form class="filters" action="/aging"' in html
    assert '<input type="hidden" name="sort" value="-total">' in html
    assert '<option value="US1" selected>US</option>' in html
    assert '<a class="clear" href="/aging">Clear</a>' in html


def test_what_will_happen_is_on_the_button() -> None:
    html = rendered(
        '{% call ui.confirm("Void P-1", "/payments/P-1/void", "Void, and reopen 3 invoices",'
        ' {"command": "C-1"}, grave=true) %}{% endcall %}'
    )
    assert '<form class="confirm grave" method="post" action="/payments/P-1/void">' in html
    assert '<input type="hidden" name="command" value="C-1">' in html
    assert '<button class="grave">Void, and reopen 3 invoices</button>' in html


def test_ticked_rows_add_up_in_minor_units() -> None:
    html = rendered(
        '{% call ui.ticking("/apply", "BHD", "Apply {total} to 1 invoice",'
        ' "Apply {total} to {count} invoices") %}'
        '{{ ui.tick("invoice", "I-1", 1240, "Apply to I-1", true) }}'
        '{{ ui.running(2500, "BHD", "Review") }}{% endcall %}'
    )
    assert 'data-exponent="3"' in html
    assert 'data-amount="1240" aria-label="Apply to I-1" checked>' in html
    assert 'data-available="2500"' in html


def test_a_list_without_rows_says_how_to_fill_it() -> None:
    html = rendered('{{ ui.empty("No payments yet.", "Record one:", "/payments/new", "enter a payment") }}')
    assert "<strong>No payments yet.</strong>" in html
    assert '<a href="/payments/new">enter a payment</a>' in html


def test_pages_tabs_pairs_and_happenings_render() -> None:
    page = rendered('{{ ui.pager(1, 50, 1204, "", "/aging?page=2", "customers") }}')
    assert "1\N{EN DASH}50 of 1,204 customers" in page
    assert '<a rel="next" href="/aging?page=2">Next</a>' in page
    assert '<span class="off">Previous</span>' in page
    tabs = rendered(
        '{{ ui.tabs("Customer", [choice("a", "Open", "/c?tab=a", 0), choice("b", "All", "/c")], "b") }}'
    )
    assert '<a href="/c" aria-current="page">All</a>' in tabs
    assert '<span class="count">0</span>' in tabs
    pairs = rendered(
        '{{ ui.pairs([("Open", ui.priced(5, "USD")), ("Cleared", ui.date(none)), ("Name", "<b>")]) }}'
    )
    assert '<dt>Open</dt><dd><span class="priced"><span class="money">0.05</span>' in pairs
    assert "&lt;b&gt;" in pairs
    line = ENV.from_string('{% import "macros.html" as ui %}{{ ui.timeline([happening], now) }}').render(
        happening=Happening(NOW - timedelta(days=3), "Posted", "entry 5", "mara", "/journal/5"), now=NOW
    )
    assert 'title="2026-06-27 10:42:07 UTC">3 days ago</time>' in line
    assert '<a href="/journal/5">Posted</a>' in line


def test_buckets_are_links_to_their_items_with_their_share() -> None:
    html = ENV.from_string(
        '{% import "macros.html" as ui %}{{ ui.aging(figures, "USD", "Aging", page) }}'
    ).render(figures=figures(300, 100, 0, 0, 0), page=PAGE)
    assert 'href="/aging?entity=US1&amp;sort=-total&amp;bucket=1-30">1.00</a>' in html
    assert "75.0\N{NO-BREAK SPACE}%" in html
    assert html.count("<svg") == 1


def test_months_are_drawn_with_their_figures() -> None:
    html = ENV.from_string(
        '{% import "macros.html" as ui %}{{ ui.months(points, "JPY", "Invoiced") }}'
    ).render(points=[Point("2026-05", 1200), Point("2026-06", 0)])
    assert (
        '<tr><th scope="row">2026-05</th><td class="number"><span class="money">1,200</span></td></tr>'
        in html
    )


def test_a_column_to_tick_is_named_in_its_head_as_in_its_cells() -> None:
    html = rendered('{% call ui.table("t", "T", [column("Apply", tick=true)], page) %}{% endcall %}')
    assert '<th scope="col" class="tick">Apply</th>' in html
    assert 'class="tick"' in rendered('{{ ui.tick("invoice", "I-1", 5, "Apply to I-1") }}')


# --- Static files ------------------------------------------------------------------------------------


def test_an_asset_is_named_by_its_content() -> None:
    path, mark = asset("console.css").split("?v=")
    assert path == "/static/console.css"
    assert len(mark) == 12
    assert asset("console.css") in ENV.get_template("base.html").render(page=PAGE)


def test_the_style_sheet_and_the_script_fetch_nothing_from_elsewhere() -> None:
    for file in STATIC.iterdir():
        text = file.read_text()
        assert "http://" not in text and "https://" not in text and "@import" not in text


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _themes() -> dict[str, dict[str, str]]:
    sheet = (STATIC / "console.css").read_text()
    found = {}
    for name, block in zip(("light", "dark"), sheet.split(":root {")[1:3], strict=True):
        lines = [line.strip().rstrip(";").split(": ") for line in block.split("}")[0].splitlines()]
        found[name] = {pair[0]: pair[1] for pair in lines if len(pair) == 2 and pair[1].startswith("#")}
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "grounds"),
    [
        (
            "--ink",
            [
                "--paper",
                "--ground",
                "--raised",
                "--hover",
                "--good-ground",
                "--waiting-ground",
                "--bad-ground",
            ],
        ),
        ("--soft", ["--paper", "--ground", "--hover"]),
        ("--accent", ["--paper", "--ground", "--hover", "--good-ground", "--waiting-ground"]),
        ("--bad", ["--paper", "--ground"]),
        ("--waiting", ["--paper"]),
        ("--on-accent", ["--accent"]),
        ("--on-bad", ["--bad"]),
    ],
)
def test_text_can_be_read_on_what_it_stands_on(theme: str, text: str, grounds: list[str]) -> None:
    colours = _themes()[theme]
    ratios = {ground: _contrast(colours[text], colours[ground]) for ground in grounds}
    assert {ground: ratio for ground, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_edges_of_fields_can_be_seen(theme: str) -> None:
    colours = _themes()[theme]
    assert min(_contrast(colours["--rule"], colours[ground]) for ground in ("--paper", "--ground")) >= 3


@pytest.mark.parametrize(
    ("what", "kept", "said"),
    [
        (
            "InvoiceReturnedToDraft",
            "period_closed: 2026-01",
            "because the fiscal period of the invoice's date is closed (2026-01). "
            "Open it, or date the invoice later.",
        ),
        (
            "ApplicationDeclined",
            "P1#1: discount_not_allowed",
            "P1#1, because so much discount is not open to this application: none agreed, too late, or taken "
            "already. Ask for less, or leave the discount to the invoice's terms.",
        ),
        ("ApplicationDeclined", "P1#1: of_tomorrow", "P1#1, because of_tomorrow"),
        ("PaymentApplied", "P1#1", "P1#1"),
    ],
)
def test_a_refusal_in_the_history_is_told_in_words(what: str, kept: str, said: str) -> None:
    assert detail_of(what, kept) == said
