"""The reads of the API: each asks the read models and answers in the shapes of `models`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.fields import (
    CustomerStatus,
    DocumentKind,
    InstrumentStatus,
    InvoiceStatus,
    PaymentKind,
    PaymentStatus,
    Side,
)
from services.reporting import journal, lists, queries
from services.reporting.aging import Beside, Page, Part, beside, customer_page, open_items, totals
from services.reporting.domain.aging import Question, bucket_on
from services.reporting.domain.days import open_parts
from services.reporting.explaining import explain
from services.reporting.http import models as m
from services.reporting.http.asking import (
    Currency,
    Cursor,
    Day,
    Limit,
    Moment,
    Name,
    Word,
    aging_part,
    aging_question,
    answer,
    cursor_of,
    each_once,
    read_cursor,
)
from services.reporting.http.desk import connection
from services.reporting.http.door import wait_for
from services.reporting.http.problems import documented, not_found
from services.reporting.store import item_read
from services.runtime import clock

router = APIRouter(
    prefix="/v1", dependencies=[Depends(each_once), Depends(wait_for)], responses=documented(422, 503)
)

Lent = Annotated[AsyncConnection, Depends(connection)]
Asked = Annotated[Question, Depends(aging_question)]


def share_of(part: int, whole: int) -> str:
    """Write a part as a percentage of the whole with two digits; 0.00 of nothing."""
    if whole == 0:
        return "0.00"
    return str((Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP))


# -- aging ------------------------------------------------------------------------------------------------


@router.get("/aging", tags=["aging"], summary="Who owes how much, since when", response_model=m.AgingReport)
async def aging(request: Request, asked: Asked, lent: Lent) -> Response:
    """Add up what is owed by bucket as of any date, as known now or at any time before."""
    return answer(request, await aging_report(lent, asked))


async def aging_report(lent: AsyncConnection, asked: Question) -> m.AgingReport:
    """Give the totals by currency and bucket, and what stands beside them."""
    found = await totals(lent, asked)
    others = await beside(lent, asked)
    currencies = []
    for currency in sorted({one.currency for one in found} | others.keys()):
        buckets = [one for one in found if one.currency == currency]
        total = sum(one.amount for one in buckets)
        own = others.get(currency, Beside(currency))
        currencies.append(
            m.AgingTotals(
                currency=currency,
                buckets=[
                    m.AgingBucket(
                        bucket=one.bucket,
                        amount=one.amount,
                        items=one.items,
                        share=share_of(one.amount, total),
                    )
                    for one in buckets
                ],
                total=total,
                items=sum(one.items for one in buckets),
                unapplied=own.unapplied,
                in_process=own.in_process,
                future=own.future,
            )
        )
    return m.AgingReport(as_of=asked.as_of, known_at=asked.known_at, currencies=currencies)


@router.get(
    "/aging/customers", tags=["aging"], summary="Customers by bucket", response_model=m.AgingCustomers
)
async def aging_customers(
    request: Request, asked: Asked, lent: Lent, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Add up what is owed by customer, the largest total first."""
    place = read_cursor(cursor, (int,))
    start = place[0] if place else 0
    page = await customer_page(lent, asked, Page(limit, start))
    return answer(
        request,
        m.AgingCustomers(
            as_of=asked.as_of,
            known_at=asked.known_at,
            buckets=[one.name for one in asked.buckets],
            rows=[m.AgingCustomer(**one._asdict()) for one in page.rows],
            next=cursor_of(start + limit) if start + limit < page.length else None,
        ),
    )


@router.get("/aging/items", tags=["aging"], summary="Open items", response_model=m.AgingItems)
async def aging_items(
    request: Request,
    asked: Asked,
    part: Annotated[Part, Depends(aging_part)],
    lent: Lent,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List what every total is made of."""
    place = read_cursor(cursor, (int,))
    start = place[0] if place else 0
    rows = await open_items(lent, asked, part, limit=limit + 1, offset=start)
    return answer(
        request,
        m.AgingItems(
            as_of=asked.as_of,
            known_at=asked.known_at,
            rows=[
                m.AgingItem(
                    **one._asdict(),
                    days_overdue=(asked.as_of - one.due_date).days,
                    bucket=bucket_on(asked, one.document_date, one.due_date, one.amount),
                )
                for one in rows[:limit]
            ],
            next=cursor_of(start + limit) if len(rows) > limit else None,
        ),
    )


@router.get(
    "/aging/explanation",
    tags=["aging"],
    summary="Why a report says something else than it did",
    response_model=m.Explanation,
)
async def aging_explanation(
    request: Request,
    asked: Asked,
    lent: Lent,
    since: Annotated[Moment, Query(description="The earlier time; `known_at` is the later one.")],
) -> Response:
    """Give every fact that became known between two times, and what it changed in which bucket."""
    known_at = asked.known_at or clock.now()
    found = await explain(
        lent,
        replace(asked, known_at=known_at),
        since,
    )
    return answer(
        request,
        m.Explanation(
            as_of=asked.as_of,
            since=since,
            known_at=known_at,
            before=[m.Change.model_validate(one) for one in found.before],
            after=[m.Change.model_validate(one) for one in found.after],
            facts=[
                m.ExplainedFact(
                    **{name: getattr(line, name) for name in line._fields if name != "amounts"},
                    changes=[m.Change(currency=c, bucket=b, amount=a) for c, b, a in line.amounts],
                )
                for line in found.lines
            ],
        ),
    )


# -- customers and documents ------------------------------------------------------------------------------


@router.get("/customers", tags=["customers"], summary="List customers", response_model=m.Customers)
async def customers(
    request: Request,
    lent: Lent,
    name: Annotated[Word, Query(description="A part of the name or the account.")] = "",
    status: CustomerStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List customers by account."""
    after = read_cursor(cursor, (str,))
    rows = await lists.customers_page(lent, name, status, after[0] if after else None, limit)
    return answer(
        request,
        m.Customers(
            rows=[m.CustomerLine.model_validate(row) for row in rows],
            next=cursor_of(rows[-1].customer) if len(rows) == limit else None,
        ),
    )


@router.get(
    "/customer",
    tags=["customers"],
    summary="One customer",
    response_model=m.Customer,
    responses=documented(404),
)
async def customer(request: Request, lent: Lent, customer: Name) -> Response:
    """Give what is known of a customer, and what is between us."""
    return answer(request, await customer_known(lent, customer))


async def customer_known(lent: AsyncConnection, account: str) -> m.Customer:
    """Give a customer with its balances. Raises Problem when nothing is known of it."""
    known = await queries.customers(lent, account)
    balances = await lists.balances_of(lent, account)
    if not (known or balances or await lists.payments_page(lent, lists.Wanted(account), None, 1)):
        raise not_found(f"Customer {account!r}")
    name, kind, status = (
        (known[0].name, known[0].customer_type, known[0].status) if known else ("", "", "ACTIVE")
    )
    return m.Customer(
        customer=account,
        name=name,
        customer_type=kind,
        status=status,
        balances=[m.Balance.model_validate(row) for row in balances],
    )


@router.get("/invoices", tags=["documents"], summary="List documents", response_model=m.Documents)
async def invoices(
    request: Request,
    lent: Lent,
    customer: Name | None = None,
    entity: Name | None = None,
    currency: Currency = None,
    status: InvoiceStatus | None = None,
    kind: DocumentKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List invoices, debit notes, credit notes and charges, the newest first."""
    after = read_cursor(cursor, (date, str, str))
    wanted = lists.Wanted(customer, entity, currency, status, kind)
    rows = await lists.items_page(lent, wanted, after, limit)
    last = (
        cursor_of(rows[-1].document_date, rows[-1].customer, rows[-1].invoice) if len(rows) == limit else None
    )
    return answer(request, m.Documents(rows=[m.Document.model_validate(row) for row in rows], next=last))


@router.get(
    "/invoice",
    tags=["documents"],
    summary="Why a document is open",
    response_model=m.DocumentPage,
    responses=documented(404),
)
async def invoice(request: Request, lent: Lent, customer: Name, invoice: Name) -> Response:
    """Give a document, what was taken off it, its story, and the entries that book it."""
    return answer(request, await document_page(lent, customer, invoice))


async def document_page(lent: AsyncConnection, customer: str, invoice: str) -> m.DocumentPage:
    """Give a document with everything that explains it. Raises Problem when it is not known."""
    found = await queries.items_named(lent, invoice, customer)
    if not found:
        raise not_found(f"Document {invoice!r} of customer {customer!r}")
    moved = await queries.movements_on(lent, customer, invoice)
    history = await queries.history_of(lent, "invoice", customer, invoice)
    row = found[0]
    return m.DocumentPage(
        document=m.Document.model_validate(row),
        parts=_parts(row),
        movements=_movements(moved, history),
        history=[m.Event.model_validate(one) for one in history],
        entries=entries(await journal.entries_for(lent, {one.fact for one in history})),
    )


def _parts(row: Any) -> list[m.Part]:
    """Give the parts of a document with what of each is open; an unopened one has nothing open."""
    item = item_read(row)
    taken = item.total - item.residual
    return [
        m.Part(due_date=part.due_date, amount=part.amount, open=open_)
        for part, open_ in zip(item.parts, open_parts(item, taken), strict=True)
    ]


def _movements(moved: Sequence[Any], history: Sequence[Any]) -> list[m.Movement]:
    actors = {one.fact: one.actor for one in history}
    return [
        m.Movement(
            **{
                name: getattr(one, name, None)
                for name in m.Movement.model_fields
                if name not in ("source", "actor")
            },
            source=one.payment,
            actor=actors.get(one.fact, ""),
        )
        for one in moved
    ]


def entries(rows: Sequence[Any]) -> list[m.Entry]:
    """Give entries with their lines, debits above zero."""
    return [
        m.Entry(
            **{name: getattr(row, name) for name in m.Entry.model_fields if name != "lines"},
            lines=[line_of(*line) for line in row.lines],
        )
        for row in rows
    ]


def line_of(account: str, role: str, side: str, currency: str, amount: int, base: int) -> m.Line:
    """Give one side of an entry, debits above zero."""
    sign = 1 if side == Side.DEBIT else -1
    return m.Line(account=account, role=role, currency=currency, amount=sign * amount, base=sign * base)


@router.get("/payments", tags=["payments"], summary="List payments", response_model=m.Payments)
async def payments(
    request: Request,
    lent: Lent,
    customer: Name | None = None,
    entity: Name | None = None,
    currency: Currency = None,
    status: PaymentStatus | None = None,
    kind: PaymentKind | None = None,
    instrument: InstrumentStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List payments, prepayments and refunds, the newest first."""
    after = read_cursor(cursor, (date, str, str))
    wanted = lists.Wanted(customer, entity, currency, status, kind, instrument)
    rows = await lists.payments_page(lent, wanted, after, limit)
    return answer(request, _payments(rows, limit))


@router.get(
    "/unapplied", tags=["payments"], summary="What came in and is not applied", response_model=m.Payments
)
async def unapplied(
    request: Request,
    lent: Lent,
    customer: Name | None = None,
    entity: Name | None = None,
    currency: Currency = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List payments with something left over, the oldest first."""
    after = read_cursor(cursor, (date, str, str))
    rows = await lists.unapplied(lent, lists.Wanted(customer, entity, currency), after, limit)
    return answer(request, _payments(rows, limit))


def _payments(rows: Sequence[Any], limit: int) -> m.Payments:
    last = (
        cursor_of(rows[-1].payment_date, rows[-1].customer, rows[-1].payment) if len(rows) == limit else None
    )
    return m.Payments(rows=[m.Payment.model_validate(row) for row in rows], next=last)


@router.get(
    "/payment",
    tags=["payments"],
    summary="Where the money of a payment is",
    response_model=m.PaymentPage,
    responses=documented(404),
)
async def payment(request: Request, lent: Lent, customer: Name, payment: Name) -> Response:
    """Give a payment, what it was used for, its story, and the entries that book it."""
    return answer(request, await payment_page(lent, customer, payment))


async def payment_page(lent: AsyncConnection, customer: str, payment: str) -> m.PaymentPage:
    """Give a payment with everything that explains it. Raises Problem when it is not known."""
    found = await queries.payments_named(lent, payment, customer)
    if not found:
        raise not_found(f"Payment {payment!r} of customer {customer!r}")
    moved = await queries.movements_of(lent, customer, payment)
    history = await queries.history_of(lent, "payment", customer, payment)
    booked = {one.fact for one in (*history, *moved)} | await queries.credit_facts(lent, customer, payment)
    return m.PaymentPage(
        payment=m.Payment.model_validate(found[0]),
        movements=_movements(moved, history),
        history=[m.Event.model_validate(one) for one in history],
        entries=entries(await journal.entries_for(lent, booked)),
    )


# -- the journal --------------------------------------------------------------------------------------------


@router.get("/journal", tags=["journal"], summary="What was booked", response_model=m.Journal)
async def journal_entries(
    request: Request,
    lent: Lent,
    entity: Name | None = None,
    customer: Name | None = None,
    document: Name | None = None,
    account: Name | None = None,
    begin: Annotated[Day | None, Query(description="First posting date.")] = None,
    end: Annotated[Day | None, Query(description="Last posting date.")] = None,
    rule: Annotated[
        Name | None, Query(description="The facts that are booked, such as InvoicePosted.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """List entries, the newest posting date first."""
    after = read_cursor(cursor, (date, str))
    wanted = journal.Posted(entity, customer, document, account, begin, end, rule)
    rows = await journal.entries_page(lent, wanted, after, limit)
    last = cursor_of(rows[-1].posting_date, rows[-1].entry) if len(rows) == limit else None
    return answer(request, m.Journal(rows=entries(rows), next=last))


@router.get(
    "/trial-balance", tags=["journal"], summary="Every account's totals", response_model=m.TrialBalance
)
async def trial_balance(
    request: Request,
    lent: Lent,
    entity: Name | None = None,
    until: Annotated[Day | None, Query(description="Up to the month of this date.")] = None,
) -> Response:
    """Add up every account; debits equal credits in each currency and in base."""
    rows = await journal.account_totals(lent, entity, until)
    found = [m.AccountTotal.model_validate(row) for row in rows]
    return answer(request, m.TrialBalance(until=until, rows=found))
