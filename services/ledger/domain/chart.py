"""Charts of accounts: an entity's accounts, and which of them plays which role."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.commands import Account, DefineChart
from contracts.events.ledger import ChartDefined
from contracts.fields import AccountType, Role

CONTROLS: Final = frozenset({Role.AR_CONTROL, Role.UNAPPLIED_CASH, Role.CUSTOMER_DEPOSITS})
"""Roles whose accounts hold the sum of documents: anything else booked there would part the two."""

CLEARINGS: Final = frozenset({Role.REFUND_CLEARING, Role.PAYER_CLEARING, Role.CURRENCY_CLEARING})
"""Roles on which one side of a matter waits for the other."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, made for looking things up: accounts by number, account by role, by reason, daybook by rule.

    `controls` are the accounts of the control roles. `defined` is the fact it came from; None for the
    default chart.
    """

    accounts: Mapping[str, Account]
    roles: Mapping[Role, str]
    reasons: Mapping[str, str]
    daybooks: Mapping[str, str]
    allowance_method: bool
    controls: frozenset[str]
    defined: ChartDefined | None = None


# (account, name, type, the role it plays by default)
_DEFAULT: Final = (
    ("1000", "Bank", AccountType.ASSET, Role.BANK),
    ("1110", "Drafts allocated", AccountType.ASSET, Role.ALLOCATED),
    ("1120", "Drafts accepted", AccountType.ASSET, Role.ACCEPTED),
    ("1130", "Drafts for collection", AccountType.ASSET, Role.FOR_COLLECTION),
    ("1140", "Drafts for conditional collection", AccountType.ASSET, Role.CONDITIONAL_COLLECTION),
    ("1150", "Bounced payments", AccountType.ASSET, Role.BOUNCED),
    ("1200", "Accounts receivable", AccountType.ASSET, Role.AR_CONTROL),
    ("1290", "Allowance for doubtful accounts", AccountType.ASSET, Role.ALLOWANCE),
    ("1910", "Refund clearing", AccountType.ASSET, Role.REFUND_CLEARING),
    ("1920", "Payer clearing", AccountType.ASSET, Role.PAYER_CLEARING),
    ("1930", "Currency clearing", AccountType.ASSET, Role.CURRENCY_CLEARING),
    ("1990", "Suspense", AccountType.ASSET, Role.SUSPENSE),
    ("2100", "Unapplied cash", AccountType.LIABILITY, Role.UNAPPLIED_CASH),
    ("2110", "Customer deposits", AccountType.LIABILITY, Role.CUSTOMER_DEPOSITS),
    ("2120", "Discounted drafts", AccountType.LIABILITY, Role.DISCOUNTED_DRAFTS),
    ("2200", "Tax payable", AccountType.LIABILITY, Role.TAX_PAYABLE),
    ("4000", "Revenue", AccountType.INCOME, Role.REVENUE),
    ("4100", "Revenue, services", AccountType.INCOME, None),
    ("4800", "Finance charge income", AccountType.INCOME, Role.FINANCE_CHARGE_INCOME),
    ("4850", "Credit write-off income", AccountType.INCOME, Role.CREDIT_WRITE_OFF_INCOME),
    ("4900", "Other income", AccountType.INCOME, None),
    ("4950", "Exchange gains", AccountType.INCOME, Role.FX_GAIN),
    ("6100", "Bank charges", AccountType.EXPENSE, Role.BANK_CHARGES),
    ("6200", "Bad debt", AccountType.EXPENSE, Role.BAD_DEBT),
    ("6250", "Small balances written off", AccountType.EXPENSE, Role.SMALL_BALANCE_WRITE_OFF),
    ("6300", "Discounts allowed", AccountType.EXPENSE, Role.DISCOUNT_ALLOWED),
    ("6400", "Exchange losses", AccountType.EXPENSE, Role.FX_LOSS),
    ("6450", "Exchange rounding", AccountType.EXPENSE, Role.FX_ROUNDING),
)

ACCOUNTS: Final[dict[str, Account]] = {
    number: Account(number, name, kind) for number, name, kind, _ in _DEFAULT
}
"""The accounts of the default chart, by number."""

ROLES: Final[dict[Role, str]] = {role: number for number, _, _, role in _DEFAULT if role is not None}
"""The account of each role in the default chart."""


def _controls(roles: Mapping[Role, str]) -> frozenset[str]:
    return frozenset(roles[role] for role in CONTROLS)


DEFAULT_CHART: Final = Chart(ACCOUNTS, ROLES, {}, {}, False, _controls(ROLES))
"""The chart of an entity that was given none."""


def chart_of(defined: ChartDefined) -> Chart:
    """Make the chart that a fact defines. Roles that it does not name keep their default account."""
    roles = {**ROLES, **{one.role: one.account for one in defined.roles}}
    return Chart(
        {account.account: account for account in defined.accounts},
        roles,
        {one.reason: one.account for one in defined.reasons},
        {one.rule: one.daybook for one in defined.daybooks},
        defined.allowance_method,
        _controls(roles),
        defined,
    )


def pooled(chart: Chart) -> frozenset[Role]:
    """Give the control and clearing roles that share an account, as where unapplied cash is kept on the
    receivables. A control role can share it with another one only.
    """
    used = Counter(chart.roles.values())
    return frozenset(role for role in CONTROLS | CLEARINGS if used[chart.roles[role]] > 1)


def chart_mistake(command: DefineChart, rules: Iterable[str]) -> str:
    """Say what does not hold together in a chart; empty when all does. `rules` may have a daybook."""
    numbers = [account.account for account in command.accounts]
    keyed: tuple[tuple[str, list[str]], ...] = (
        ("account", numbers),
        ("role", [one.role for one in command.roles]),
        ("reason", [one.reason for one in command.reasons]),
        ("daybook of", [one.rule for one in command.daybooks]),
    )
    for what, names in keyed:
        twice = _twice(names)
        if twice is not None:
            return f"{what} {twice} is there twice"
    known = frozenset(numbers)
    roles = {**ROLES, **{one.role: one.account for one in command.roles}}
    for role, account in roles.items():
        if account not in known:
            return f"role {role} needs account {account}"
    controls = _controls(roles)
    for role, account in roles.items():
        if role not in CONTROLS and account in controls:
            return f"role {role} is on control account {account}"
    for one in command.reasons:
        if one.account not in known or one.account in controls:
            return f"reason {one.reason} names account {one.account}"
    booked = frozenset(rules)
    unknown = next((one.rule for one in command.daybooks if one.rule not in booked), "")
    return f"no rule is called {unknown}" if unknown else ""


def _twice(names: list[str]) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)
