"""An entity's chart and settings: what is taken, what is refused, and what is then booked where."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.commands import (
    Account,
    ConfigureEntity,
    Daybook,
    DefineChart,
    ReasonAccount,
    RoleAccount,
)
from contracts.events.ledger import ChartDefined
from contracts.fields import AccountType, InvoiceStatus, Role
from services.ledger.domain.books import Books, decide_books, evolve_books
from services.ledger.domain.chart import ACCOUNTS, CONTROLS, DEFAULT_CHART, ROLES
from services.ledger.store import books_from_row, books_to_row
from tests.builders import ISSUED, credit, debit, posted, released, settled, written_off
from tests.ledger.charts import EVERY_ACCOUNT, ONE_CONTROL, chart
from tests.ledger.desk import Desk, books_of, configured
from tests.spec import Spec

BOOKS = Spec(decide_books, evolve_books)
MINIMAL = chart()


def defined(command: DefineChart) -> ChartDefined:
    return ChartDefined(
        command.entity,
        command.accounts,
        command.roles,
        command.reasons,
        command.daybooks,
        command.allowance_method,
    )


# -- the default chart -----------------------------------------------------------------------------


def test_the_default_chart_has_an_account_for_each_role() -> None:
    assert set(ROLES) == set(Role)
    assert set(ROLES.values()) <= set(ACCOUNTS)


@pytest.mark.parametrize(
    ("account", "name", "kind"),
    [
        ("1000", "Bank", AccountType.ASSET),
        ("1200", "Accounts receivable", AccountType.ASSET),
        ("2100", "Unapplied cash", AccountType.LIABILITY),
        ("2200", "Tax payable", AccountType.LIABILITY),
        ("4000", "Revenue", AccountType.INCOME),
        ("4100", "Revenue, services", AccountType.INCOME),
        ("4900", "Other income", AccountType.INCOME),
    ],
)
def test_the_accounts_of_the_default_chart_keep_their_numbers(
    account: str, name: str, kind: AccountType
) -> None:
    assert ACCOUNTS[account] == Account(account, name, kind)


def test_control_accounts_are_on_accounts_of_their_own_by_default() -> None:
    assert {ROLES[role] for role in CONTROLS} == {"1200", "2100", "2110"}
    assert DEFAULT_CHART.controls == {"1200", "2100", "2110"}


# -- defining one ----------------------------------------------------------------------------------


def test_a_chart_is_taken() -> None:
    after = BOOKS.given().when(ONE_CONTROL).then(defined(ONE_CONTROL))
    assert after.state.chart.roles[Role.UNAPPLIED_CASH] == "1200"
    assert after.state.chart.roles[Role.BANK] == "1000"
    assert after.state.pooled == CONTROLS


def test_the_same_chart_again_changes_nothing() -> None:
    BOOKS.given(defined(MINIMAL)).when(MINIMAL).nothing()


def test_roles_that_shared_an_account_once_stay_pooled() -> None:
    # What was between them then has left no trace: the two can never be proved apart.
    later = BOOKS.given(defined(ONE_CONTROL)).when(MINIMAL).then(defined(MINIMAL))
    assert later.state.chart.roles[Role.UNAPPLIED_CASH] == "2100"
    assert later.state.pooled == CONTROLS


def without(account: str) -> tuple[Account, ...]:
    return tuple(one for one in EVERY_ACCOUNT if one.account != account)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"accounts": (*EVERY_ACCOUNT, EVERY_ACCOUNT[0])}, id="an account twice"),
        pytest.param({"accounts": without("1990")}, id="a role whose default account is left out"),
        pytest.param({"roles": (RoleAccount(Role.BANK, "9999"),)}, id="a role on no account"),
        pytest.param({"roles": (RoleAccount(Role.BANK, "1000"),) * 2}, id="a role twice"),
        pytest.param({"roles": (RoleAccount(Role.BANK, "1200"),)}, id="a role on a control account"),
        pytest.param({"reasons": (ReasonAccount("small", "9999"),)}, id="a reason on no account"),
        pytest.param({"reasons": (ReasonAccount("small", "2100"),)}, id="a reason on a control account"),
        pytest.param({"reasons": (ReasonAccount("small", "6200"),) * 2}, id="a reason twice"),
        pytest.param({"daybooks": (Daybook("InvoiceDrafted", "S"),)}, id="a daybook of what is not booked"),
        pytest.param({"daybooks": (Daybook("InvoicePosted", "S"),) * 2}, id="a daybook twice"),
    ],
)
def test_a_chart_that_does_not_hold_together_is_refused(wrong: dict[str, Any]) -> None:
    BOOKS.given().when(replace(MINIMAL, **wrong)).rejected("chart_invalid")


def test_books_are_stored_whole() -> None:
    books = replace(books_of("USD", ONE_CONTROL), closed=frozenset({ISSUED.replace(day=1)}))
    books = books.using(["EUR"])
    assert books.used == frozenset()
    assert books_from_row(books_to_row(books)) == books
    used = Books("E1").using(["EUR", "USD"])
    assert books_from_row(books_to_row(used)) == used
    assert books_from_row(books_to_row(Books("E1"))) == Books("E1")


# -- booking by it ---------------------------------------------------------------------------------


def test_roles_are_booked_on_the_accounts_of_the_chart() -> None:
    desk = Desk(chart=chart((Role.REVENUE, "4900"), (Role.AR_CONTROL, "1300")))
    assert desk.lines_of(posted()) == (
        debit("1300", 10_000, role=Role.AR_CONTROL),
        credit("4900", 10_000, role=Role.REVENUE),
    )


def test_an_invoice_is_paid_on_the_account_where_it_is_owed_whatever_the_chart_says_by_then() -> None:
    desk = Desk().book(posted(), released())
    desk.books = books_of(None, chart((Role.AR_CONTROL, "1300"), (Role.UNAPPLIED_CASH, "4900")))
    assert desk.lines_of(settled("P1#1", 10_000, 10_000, 0, InvoiceStatus.CLEARED)) == (
        debit("2100", 10_000),
        credit("1200", 10_000),
    )


def test_a_reason_has_an_account_of_its_own() -> None:
    desk = Desk(chart=chart(reasons=(ReasonAccount("bad_debt", "4900"), ReasonAccount("rounding", "4100"))))
    desk.book(posted(), released())
    assert desk.lines_of(written_off(1, 50, 0, InvoiceStatus.PARTIALLY_CLEARED)) == (
        debit("4900", 50, role=Role.BAD_DEBT),
        credit("1200", 50),
    )
    fact = settled("P1#1", 10, 10, 0, InvoiceStatus.PARTIALLY_CLEARED, written_off=1, reason="rounding")
    assert desk.lines_of(fact) == (
        debit("2100", 10),
        debit("4100", 1, role=Role.SMALL_BALANCE_WRITE_OFF),
        credit("1200", 11),
    )


def test_with_the_allowance_method_write_offs_use_the_allowance() -> None:
    desk = Desk(chart=chart(allowance_method=True)).book(posted())
    assert desk.lines_of(written_off(1, 50, 0, InvoiceStatus.PARTIALLY_CLEARED)) == (
        debit("1290", 50),
        credit("1200", 50),
    )


def test_the_daybook_is_the_facts_own_else_that_of_its_rule() -> None:
    desk = Desk(chart=chart(daybooks=(Daybook("PaymentReleased", "CASH"), Daybook("InvoicePosted", "SALES"))))
    desk.book(posted(), released(1), replace(released(1), daybook="DRAFTS"))
    desk.book(written_off(1, 1, 1, InvoiceStatus.PARTIALLY_CLEARED))
    assert [entry.daybook for entry in desk.entries] == ["SALES", "CASH", "DRAFTS", ""]


# -- settings --------------------------------------------------------------------------------------


def test_settings_are_taken_and_the_same_again_changes_nothing() -> None:
    euro = ConfigureEntity("E1", base_currency="EUR")
    after = BOOKS.given().when(euro).then(configured("EUR"))
    assert after.state.base_currency == "EUR"
    after.when(euro).nothing()


def test_a_base_currency_can_be_given_while_there_is_none() -> None:
    BOOKS.given(configured(None)).when(ConfigureEntity("E1", base_currency="EUR")).then(configured("EUR"))


@pytest.mark.parametrize("other", ["USD", None])
def test_a_base_currency_is_not_changed(other: str | None) -> None:
    BOOKS.given(configured("EUR")).when(ConfigureEntity("E1", base_currency=other)).rejected(
        "base_currency_fixed"
    )


def test_settings_keep_chart_and_months() -> None:
    books = replace(books_of(None, ONE_CONTROL), closed=frozenset({ISSUED.replace(day=1)}))
    after = evolve_books(books, configured("EUR"))
    assert (after.chart, after.closed, after.pooled) == (books.chart, books.closed, books.pooled)
