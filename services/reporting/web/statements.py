"""The statement of a customer as a page that prints well, with the same figures as the PDF."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.domain.aging import Figure, OpenItem, age
from services.reporting.exports.statement import OpenItemLine, StatementLine
from services.reporting.http.asking import today
from services.reporting.http.desk import connection
from services.reporting.http.reads import customer_known
from services.reporting.http.statements import Asked, StatementKind, asked_statement, statement
from services.reporting.notes import notes_of
from services.reporting.statements import Period
from services.reporting.web.customers import tabs_of, title_of
from services.reporting.web.page import Choice
from services.reporting.web.route import FilledRoute
from services.reporting.web.showing import page_of, show
from services.reporting.web.telling import address

router = APIRouter(include_in_schema=False, route_class=FilledRoute)


class OpenSection(NamedTuple):
    """What is open in one currency, oldest first."""

    currency: str
    lines: Sequence[OpenItemLine]
    aging: Sequence[Figure]
    total: int
    overdue: int


class Balanced(NamedTuple):
    """A line of a period, and the balance after it."""

    line: StatementLine
    balance: int


class PeriodSection(NamedTuple):
    """A period in one currency."""

    currency: str
    opening: int
    lines: Sequence[Balanced]
    charges: int
    credits: int

    @property
    def closing(self) -> int:
        """The balance at its end."""
        return self.opening + self.charges - self.credits


@router.get("/customer/statement")
async def statement_page(
    request: Request,
    lent: Annotated[AsyncConnection, Depends(connection)],
    asked: Annotated[Asked, Depends(asked_statement)],
) -> Response:
    """Show what is open as of a day, or what happened in a period."""
    known = await customer_known(lent, asked.customer)
    found = await statement(lent, asked)
    page = await page_of(request, f"Statement of {title_of(known)}", "customers")
    is_open = asked.kind is StatementKind.open_item
    return show(
        "statement.html",
        page,
        known=known,
        tabs=tabs_of(asked.customer, await notes_of(lent, asked.customer, today())),
        asked=asked,
        head=found.head,
        is_open=is_open,
        open_sections=_open_sections(asked, found.items),
        period_sections=[] if is_open else _period_sections(found.period),
        pdf=address(
            "/v1/statement.pdf",
            customer=asked.customer,
            kind=asked.kind.value,
            as_of=asked.as_of,
            entity=asked.entity,
            **({} if is_open else {"from": asked.begin}),
        ),
        kinds=[
            Choice(StatementKind.open_item.value, "Open items"),
            Choice(StatementKind.balance_forward.value, "Balance forward"),
        ],
        entities=[Choice(one, one) for one in sorted({one.entity for one in known.balances})],
    )


def _open_sections(asked: Asked, items: Iterable[OpenItemLine]) -> list[OpenSection]:
    by_currency: dict[str, list[OpenItemLine]] = defaultdict(list)
    for item in items:
        by_currency[item.currency].append(item)
    return [_open_section(asked, currency, own) for currency, own in sorted(by_currency.items())]


def _open_section(asked: Asked, currency: str, lines: Iterable[OpenItemLine]) -> OpenSection:
    own = sorted(lines, key=lambda line: (line.document_date, line.number))
    aged = [
        OpenItem(
            asked.customer, one.number, "", currency, one.document_date, one.due or asked.as_of, one.open
        )
        for one in own
    ]
    overdue = sum(one.amount for one in aged if one.due_date < asked.as_of)
    return OpenSection(currency, own, age(aged, asked.as_of), sum(one.open for one in own), overdue)


def _period_sections(period: Period) -> list[PeriodSection]:
    by_currency: dict[str, list[StatementLine]] = defaultdict(list)
    for line in period.lines:
        by_currency[line.currency].append(line)
    return [
        _period_section(currency, period.opening, by_currency[currency])
        for currency in sorted({*by_currency, *period.opening})
    ]


def _period_section(
    currency: str, openings: Mapping[str, int], lines: Iterable[StatementLine]
) -> PeriodSection:
    balance = openings.get(currency, 0)
    own = []
    for line in lines:
        balance += line.amount
        own.append(Balanced(line, balance))
    amounts = [one.line.amount for one in own]
    charges = sum(amount for amount in amounts if amount > 0)
    credits = -sum(amount for amount in amounts if amount < 0)
    return PeriodSection(currency, openings.get(currency, 0), own, charges, credits)
