"""Writes docs/postings.md from the posting table: what is debited and credited for each fact, in words."""

import inspect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Final, get_args, get_type_hints

from contracts.catalog import CATALOG
from contracts.fields import InstrumentStatus, PaymentKind, Role
from contracts.samples import SAMPLES
from services.documents.markdown import GENERATED, said_of, table
from services.ledger.domain import chart, postings, posts
from services.payments.domain import transitions as payments

_AMOUNTS: Final = {
    "AMOUNT": "amount",
    "USED": "used",
    "SETTLED": "settled",
    "DISCOUNT_TAX": "the discount's share of tax",
    "NET_DISCOUNT": "discount less its share of tax",
    "WRITTEN_OFF": "written off",
    "LINES": "each line",
    "TAXES": "tax",
    "FEES": "each charge",
    "RECEIVED": "amount less charges",
}
"""What a row books, in words, by what the posting table calls it."""

_VARIED: Final = ("kind", "payment_kind", "payer", "instrument", "from_status", "to_status")
"""The fields of a fact that can decide which account is booked."""


def postings_page() -> str:
    """Write docs/postings.md: which fact is booked how."""
    about = inspect.cleandoc(postings.__doc__ or "").partition("\n\n")[2]
    rows = [row for cls, rule in postings.POSTINGS.items() for row in _booked(cls, rule)]
    return (
        "\n".join(
            [
                GENERATED.format("services/ledger/domain/postings.py"),
                "",
                "# Postings",
                "",
                *about.splitlines(),
                "",
                "An account stands here with its role and, in brackets, its number in the default chart. An",
                "entity's chart names another one for a role, a payment profile for one method. What debits",
                "and credits one account is not booked. A fact whose month is closed is booked on the first",
                "day of the first open month; only an invoice is refused then.",
                "",
                *table(("fact", "debit", "credit", "amount"), rows),
                "",
                "## Roles",
                "",
                *table(
                    ("role", "account of the default chart", "name", "type"),
                    [
                        (
                            f"`{role}`",
                            number,
                            chart.ACCOUNTS[number].name,
                            chart.ACCOUNTS[number].type.lower(),
                        )
                        for role, number in chart.ROLES.items()
                    ],
                ),
                "",
                f"Control accounts: {', '.join(f'`{role}`' for role in Role if role in chart.CONTROLS)}.",
                *said_of(chart, "CONTROLS").splitlines(),
            ]
        )
        + "\n"
    )


def _booked(cls: type, rule: postings.Rule | postings.Cases) -> list[Sequence[str]]:
    """Tell how a fact is booked, a row a line."""
    name = f"`{cls.__name__}`"
    if isinstance(rule, postings.Rule):
        return _rows(name, cls, rule, {})
    found: list[Sequence[str]] = []
    for case, one in rule.rules.items():
        ways = case if isinstance(case, tuple) else (case,)
        told = " → ".join(str(part or "any other") for part in ways)
        found += _rows(f"{name} {told}", cls, one, _fixed(ways))
    return found


def _fixed(ways: Sequence[Any]) -> dict[str, Any]:
    """Give what a case says of the fields of its fact."""
    if len(ways) < 2:
        return {}
    before, after = ways
    named = {(a, b) for rule in postings.POSTINGS.values() for a, b in _moves(rule) if a is not None}
    left = [s for s, to in payments.MOVES.items() if after in to and (s, after) not in named]
    if after in payments.RELEASES:  # from INITIAL by a release, which is a fact of its own
        left.remove(InstrumentStatus.INITIAL)
    return {"from_status": [before] if before else left, "to_status": [after]}


def _moves(rule: postings.Rule | postings.Cases) -> list[tuple[Any, Any]]:
    keys = () if isinstance(rule, postings.Rule) else rule.rules
    return [key for key in keys if isinstance(key, tuple)]


def _rows(name: str, cls: type, rule: postings.Rule, fixed: Mapping[str, Any]) -> list[Sequence[str]]:
    if rule.reverses:
        return [(name, f"the mirror of {_kept_by(rule.reverses)}", "", "")]
    facts = _variants(cls, fixed)
    if not facts:
        return []  # the table has it, and no payment can go that way
    found: list[Sequence[str]] = []
    for number, row in enumerate(rule.rows):
        title = "" if number else name
        debit, credit = _account(row.debit, facts), _account(row.credit, facts)
        if isinstance(row, postings.Exchange):
            found.append((title, debit, "", _amount(row.taken)))
            found.append(("", "", credit, _amount(row.given)))
            if row.debit.rate != row.credit.rate:
                found.append(("", _role(Role.FX_LOSS), _role(Role.FX_GAIN), "what differs in base"))
        else:
            found.append((title, debit, credit, _amount(row.amount)))
    return found


def _kept_by(key: str) -> str:
    """Name the facts whose entries a reversal mirrors."""
    rules = postings.POSTINGS
    keeping = [
        cls.__name__
        for cls, rule in rules.items()
        for one in ([rule] if isinstance(rule, postings.Rule) else rule.rules.values())
        if one.keeps == key
    ]
    names = [f"`{name}`" for name in dict.fromkeys(keeping)]
    return names[0] if len(names) == 1 else f"all that was booked by {', '.join(names)}"


def _amount(amount: Any) -> str:
    """Say what a row books: the posting table's own name for it tells which words."""
    names = [name for name, value in vars(posts).items() if value is amount and name in _AMOUNTS]
    return _AMOUNTS[names[0]]


def _variants(cls: type, fixed: Mapping[str, Any]) -> list[Any]:
    """Make facts of a class that differ in all that can decide an account."""
    entry = next(entry for entry in CATALOG.values() if entry.cls is cls)
    sample: Any = SAMPLES[entry.type].message
    hints = get_type_hints(cls)
    choices: dict[str, Sequence[Any]] = {}
    for name in (one for one in _VARIED if one in hints):
        if name in fixed:
            choices[name] = fixed[name]
        elif name == "payer":
            choices[name] = (None, "C2") if type(None) in get_args(hints[name]) else ("C2",)
        else:
            choices[name] = [one for one in hints[name] if _occurs(name, one, cls)]
    names = list(choices)
    return [replace(sample, **dict(zip(names, values, strict=True))) for values in product(*choices.values())]


def _occurs(name: str, value: Any, cls: type) -> bool:
    """Leave out what a fact never says: a refund is no receipt, and a release leads only to some statuses."""
    if name == "kind":
        return value is not PaymentKind.REFUND
    return name != "instrument" or value in payments.RELEASES


def _account(post: posts.Post, facts: Sequence[Any]) -> str:
    """Name the account of a post; where the fact decides, each one with what decides it."""
    also = (
        "<br>or the account that it names"
        if post.named
        else "<br>or the account of the reason"
        if post.by_reason
        else ""
    )
    if isinstance(post.role, Role):
        return _role(post.role) + also
    found: dict[tuple[Role, str], list[Any]] = defaultdict(list)
    for fact in facts:
        for kept, words in _CHARTS:
            found[post.role(fact, kept), words].append(fact)
    told = [(role, _when(own, facts), words) for (role, words), own in found.items()]
    return "<br>".join(dict.fromkeys(_told(role, when, words, told) for role, when, words in told)) + also


_CHARTS: Final = (
    (chart.DEFAULT_CHART, ""),
    (replace(chart.DEFAULT_CHART, allowance_method=True), "allowance method"),
)


def _told(role: Role, when: str, words: str, all_: Sequence[tuple[Role, str, str]]) -> str:
    """Write one account with its condition; that of the chart only where it changes anything."""
    other = any(one == role and said == when and kept != words for one, said, kept in all_)
    conditions = "; ".join(filter(None, (when, "" if other else words)))
    return f"{_role(role)}{': ' if conditions else ''}{conditions}"


def _when(own: Sequence[Any], facts: Sequence[Any]) -> str:
    """Say what tells some facts from all: the fields that do not take every value among them."""
    told: list[str] = []
    for name in (one for one in _VARIED if hasattr(facts[0], one)):
        values = list(dict.fromkeys(getattr(fact, name) for fact in own))
        others = {getattr(fact, name) for fact in facts}.difference(values)
        if others:
            told.append(_values(name, values, list(others)))
    return ", ".join(told)


def _values(name: str, values: Sequence[Any], others: Sequence[Any]) -> str:
    if name == "payer":
        return "another customer's payment" if values[0] else "own payment"
    few = f"all but {others[0]}" if len(others) == 1 < len(values) - 1 else ""
    words = few or " or ".join(str(value) for value in values)
    return f"from {words}" if name == "from_status" else words


def _role(role: Role) -> str:
    return f"{role.replace('_', ' ')} ({chart.ROLES[role]})"
