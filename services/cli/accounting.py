"""The commands of bookkeepers and auditors: journal, account statement, trial balance, chart, audit."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.connect import connection_settings, run
from services.cli.output import Format, Sheet, complaints, records, show
from services.cli.reading import EntityOption, FormatOption, parse_date
from services.ledger.audit import Audit, count, verify
from services.ledger.domain.books import Books
from services.ledger.queries import (
    Balance,
    JournalFilter,
    Statement,
    account_statement,
    books_of,
    journal,
    trial_balance,
)
from services.reporting.exports.report import Money
from services.runtime.reading import reading

audit = typer.Typer(help="Check the journal against itself.", no_args_is_help=True)

FromOption = Annotated[
    date | None, typer.Option("--from", parser=parse_date, metavar="DATE", help="Posted on or after.")
]
ToOption = Annotated[
    date | None, typer.Option("--to", parser=parse_date, metavar="DATE", help="Posted on or before.")
]
CustomerOption = Annotated[str | None, typer.Option(help="Only this customer.")]
WholeEntity = Annotated[str, typer.Option("--entity", help="The entity (company) whose books these are.")]


# -- journal ------------------------------------------------------------------------------------------

JOURNAL_COLUMNS = (
    "posting_date", "entry", "lane", "number", "rule", "daybook", "entity", "customer", "document",
    "document_date", "account", "role", "currency", "debit", "credit", "base_currency", "base_debit",
    "base_credit",
)  # fmt: skip
_BASE = frozenset({"base_currency", "base_debit", "base_credit"})
_FOR_PROGRAMS = frozenset({"lane", "number", "daybook", "document_date", "role"})


def journal_command(
    entity: EntityOption = None,
    customer: CustomerOption = None,
    document: Annotated[
        str | None, typer.Option(help="Only entries of this invoice, payment, application or write-off.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only entries that touch this account.")] = None,
    fact: Annotated[
        str | None, typer.Option(metavar="ID", help="Only the entry that books this fact.")
    ] = None,
    first: FromOption = None,
    last: ToOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many entries, the newest.")] = 20,
    how: FormatOption = Format.table,
) -> None:
    """What was booked: entries with their lines, the newest last.

    openitem journal --customer 0379-NEVHP

    openitem journal --fact invoicing/12/4

    openitem journal --account 1200 --from 2013-06-01 --to 2013-06-30 --limit 1000 --format csv
    """
    wanted = JournalFilter(entity, customer, document, account, first, last, fact)
    sheet = journal_sheet(run(_journal(wanted, limit)))
    show([sheet], records(sheet), how)


async def _journal(wanted: JournalFilter, limit: int) -> Sequence[Any]:
    async with reading(connection_settings().dsn("ledger")) as connection:
        return await journal(connection, wanted, limit)


def journal_sheet(lines: Sequence[Any]) -> Sheet:
    """Give journal lines as a sheet. People see the base currency where it is another one."""
    rows = [
        (
            x.posting_date,
            x.entry,
            x.lane,
            x.number,
            x.rule,
            x.daybook,
            x.entity,
            x.customer,
            x.document,
            x.document_date,
            x.account,
            x.role,
            x.line_currency,
            *(Money(amount, x.line_currency) for amount in (x.debit, x.credit)),
            x.base_currency,
            *(Money(amount, x.base_currency) for amount in (x.base_debit, x.base_credit)),
        )
        for x in lines
    ]
    alike = all(x.line_currency == x.base_currency for x in lines)
    return Sheet(
        "Journal", JOURNAL_COLUMNS, list(rows), hidden=_FOR_PROGRAMS | (_BASE if alike else frozenset())
    )


# -- account statement --------------------------------------------------------------------------------


def account_statement_command(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's number.")],
    entity: WholeEntity,
    customer: CustomerOption = None,
    first: FromOption = None,
    last: ToOption = None,
    how: FormatOption = Format.table,
) -> None:
    """Every line on an account, with the balance after it: debits above zero, credits below.

    openitem account-statement 1200 --entity 391 --from 2013-06-01 --to 2013-06-30
    """
    show(*statement_report(run(_statement(entity, account, first, last, customer)), account), how)


async def _statement(
    entity: str, account: str, first: date | None, last: date | None, customer: str | None
) -> Statement:
    async with reading(connection_settings().dsn("ledger")) as connection:
        return await account_statement(connection, entity, account, first, last, customer)


def statement_report(statement: Statement, account: str) -> tuple[list[Sheet], list[dict[str, Any]]]:
    """Give an account statement as sheets, one a currency, and as JSON."""
    columns = (
        "posting_date", "entry", "rule", "customer", "document", "debit", "credit", "balance", "base_balance",
    )  # fmt: skip
    sheets: list[Sheet] = []
    document: list[dict[str, Any]] = []
    places = sorted({*statement.opening, *((x.currency, x.base_currency) for x in statement.movements)})
    for currency, base in places:
        opening = statement.opening.get((currency, base))
        rows: list[Sequence[Any]] = []
        if opening:
            balances = (Money(opening[0], currency), Money(opening[1], base))
            rows.append(
                (None, "", "opening balance", "", "", Money(0, currency), Money(0, currency), *balances)
            )
        rows += [
            (
                x.posting_date,
                x.entry,
                x.rule,
                x.customer,
                x.document,
                *(Money(amount, currency) for amount in (x.debit, x.credit, x.balance)),
                Money(x.base_balance, base),
            )
            for x in statement.movements
            if (x.currency, x.base_currency) == (currency, base)
        ]
        sheet = Sheet(
            f"Account {account}, {currency}",
            columns,
            rows,
            hidden=frozenset({"base_balance"}) if base == currency else frozenset(),
            beside={"currency": currency, "base_currency": base},
        )
        sheets.append(sheet)
        document += [{**sheet.beside, **record} for record in records(sheet)]
    nothing = Sheet(
        f"Account {account}: nothing was booked", columns, [], beside={"currency": "", "base_currency": ""}
    )
    return sheets or [nothing], document


# -- trial balance ------------------------------------------------------------------------------------


def trial_balance_command(
    entity: EntityOption = None,
    in_base: Annotated[
        bool, typer.Option("--base", help="In the base currency of each entity, not by document currency.")
    ] = False,
    how: FormatOption = Format.table,
) -> None:
    """The balance of every account; debits equal credits, or something is very wrong.

    openitem trial-balance --entity 391

    openitem trial-balance --entity 391 --base
    """
    show(*trial_balance_report(run(_trial_balance(entity, in_base))), how)


async def _trial_balance(entity: str | None, in_base: bool) -> list[Balance]:
    async with reading(connection_settings().dsn("ledger")) as connection:
        return await trial_balance(connection, entity, in_base=in_base)


def trial_balance_report(balances: Sequence[Balance]) -> tuple[list[Sheet], list[dict[str, Any]]]:
    """Give the trial balance as sheets, one a currency, and as JSON."""
    columns = ("entity", "account", "name", "debit", "credit", "balance")
    sheets: list[Sheet] = []
    document: list[dict[str, Any]] = []
    for currency in sorted({b.currency for b in balances}):
        own = [b for b in balances if b.currency == currency]
        rows = [
            (b.entity, b.account, b.name, *(Money(x, currency) for x in (b.debit, b.credit, b.balance)))
            for b in own
        ]
        sums = [
            Money(sum(values), currency)
            for values in zip(*((b.debit, b.credit, b.balance) for b in own), strict=True)
        ]
        totals = ("total", "", "", *sums)
        beside = {"currency": currency}
        sheet = Sheet(f"Trial balance, {currency}", columns, list(rows), totals, beside=beside)
        sheets.append(sheet)
        document += [{"currency": currency, **record} for record in records(sheet)]
    return sheets or [Sheet("Trial balance: nothing was booked yet", columns, [])], document


# -- chart --------------------------------------------------------------------------------------------


def chart(entity: WholeEntity, how: FormatOption = Format.table) -> None:
    """An entity's accounts, and what each is for: roles, and reasons of write-offs.

    openitem chart --entity 391
    """
    show(*chart_report(run(_books(entity))), how)


async def _books(entity: str) -> Books:
    async with reading(connection_settings().dsn("ledger")) as connection:
        return await books_of(connection, entity)


def chart_report(books: Books) -> tuple[list[Sheet], dict[str, Any]]:
    """Give a chart as a sheet and as JSON."""
    own = books.chart
    rows = [
        (
            number,
            account.name,
            account.type.value,
            ", ".join(sorted(role.value for role, one in own.roles.items() if one == number)),
            ", ".join(sorted(reason for reason, one in own.reasons.items() if one == number)),
        )
        for number, account in sorted(own.accounts.items())
    ]
    source = "as defined" if own.defined else "the default chart"
    base = books.base_currency or ""
    closed = [f"{day:%Y-%m}" for day in sorted(books.closed)]
    caption = "; ".join(
        (
            f"base currency: {base or 'none, each currency has books of its own'}",
            f"write-offs: {'allowance' if own.allowance_method else 'bad debt'}",
            f"closed months: {', '.join(closed) or 'none'}",
        )
    )
    columns = ("account", "name", "type", "roles", "reasons")
    sheet = Sheet(f"Chart of {books.entity}, {source}", columns, list(rows), caption=caption)
    document = {
        "entity": books.entity,
        "is_default": own.defined is None,
        "base_currency": base,
        "allowance_method": own.allowance_method,
        "closed": closed,
        "daybooks": dict(own.daybooks),
        "accounts": records(sheet),
    }
    return [sheet], document


# -- audit --------------------------------------------------------------------------------------------


@audit.command("verify")
def audit_verify(how: FormatOption = Format.table) -> None:
    """Compute the hash chain of every lane again from the journal's rows.

    Names the first entry that was changed, put in or taken out after it was booked, and ends with 1. The
    hashes at the ends, kept elsewhere, show later that nothing before them was rewritten.

    openitem audit verify
    """
    found = run(_verify())
    show(*audit_report(found), how)
    if found.broken:
        where = f"lane {found.broken.lane}, entry {found.broken.number} {found.broken.entry}".rstrip()
        complaints.print(f"[red]✗[/red] {where}: {found.broken.why}", highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    if how is Format.table:
        complaints.print(f"[green]✓ {found.entries:,} entries are as they were booked[/green]")


async def _verify() -> Audit:
    bar = Progress(
        TextColumn("entries"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=complaints
    )
    async with reading(connection_settings().dsn("ledger")) as connection:
        with bar:
            task = bar.add_task("entries", total=await count(connection))
            return await verify(connection, lambda number: bar.advance(task, number))


def audit_report(found: Audit) -> tuple[list[Sheet], dict[str, Any]]:
    """Give an audit as a sheet and as JSON."""
    rows = [(end.lane, end.number, end.hash.hex()) for end in found.ends]
    sheet = Sheet("Ends of the lanes' chains", ("lane", "entries", "hash"), list(rows))
    document = {
        "holds": found.broken is None,
        "entries": found.entries,
        "lanes": records(sheet),
        "broken": found.broken._asdict() if found.broken else None,
    }
    return [sheet], document
