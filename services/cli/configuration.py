"""The configuration file: what its YAML may say, and every mistake in it as a sentence with path and line.

A file names entities, and of each what is to be so: base currency and settings, chart, payment profiles,
rates, periods. What it leaves out stays as it is; a chart or a profile that it names is replaced whole.
Reading is pure: what the services know now is given as `Accounts`, when it is known.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from types import NoneType
from typing import Any, Final, NamedTuple, get_args, get_type_hints

import yaml

from contracts import codec
from contracts.catalog import BY_CLASS, Entry
from contracts.commands import (
    Account,
    ClosePeriod,
    ConfigureEntity,
    Daybook,
    DefineChart,
    DefinePaymentProfile,
    OpenPeriod,
    ReasonAccount,
    RoleAccount,
    SetRate,
    StatusAccount,
)
from contracts.envelope import Unreadable
from contracts.fields import AccountType, Balance, CurrencyCode, Id, InstrumentStatus, Rate, Role, Text
from services.ledger.domain.chart import CONTROLS, ROLES
from services.ledger.domain.postings import POSTINGS
from services.payments.domain.profile import ALWAYS
from services.payments.domain.transitions import RELEASES

RULES: Final = tuple(sorted(cls.__name__ for cls in POSTINGS))
"""The facts that are booked, each of which can have a daybook."""


class Problem(NamedTuple):
    """One mistake: where it is, what is wrong, and what to write instead."""

    path: str
    line: int
    wrong: str
    write: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path or 'the file'}: {self.wrong}; {self.write}"


class BadConfiguration(Exception):
    """A file with mistakes, all of them, in order of line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda one: (one.line, one.path))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file says of one entity. `settings` holds only those that it names."""

    entity: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    chart: DefineChart | None = None
    profiles: Sequence[DefinePaymentProfile] = ()
    rates: Sequence[SetRate] = ()
    periods: Sequence[ClosePeriod | OpenPeriod] = ()


class Accounts(NamedTuple):
    """The accounts of a chart. Its control accounts hold the sum of documents, and nothing else."""

    all: frozenset[str]
    controls: frozenset[str]


class Known(NamedTuple):
    """What the services know of an entity that a file may rely on: its base currency and its accounts."""

    base_currency: str | None
    accounts: Accounts


class Part(NamedTuple):
    """A part of the file: its node, the way to it, and the node that says where it begins."""

    node: yaml.Node
    path: str
    begin: yaml.Node | None = None

    @property
    def line(self) -> int:
        """Its line, counted from 1: that of its key, when it has one."""
        line: int = (self.begin or self.node).start_mark.line
        return line + 1

    @property
    def is_null(self) -> bool:
        """Whether nothing, `null` or `~` is written there."""
        return self.node.tag == "tag:yaml.org,2002:null"


def read_configuration(text: str, known: Mapping[str, Known] | None = None) -> list[Wanted]:
    """Read a file. Raises BadConfiguration with every mistake in it.

    Without `known`, what depends on what the services know is not looked at.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadConfiguration([_no_yaml(error)]) from None
    if node is None:
        raise BadConfiguration(
            [Problem("", 1, "it is empty", "write what openitem configure --example shows")]
        )
    reader = _Reader(known)
    wanted = reader.file(Part(node, ""))
    if reader.problems:
        raise BadConfiguration(reader.problems)
    return wanted


def accounts_of(chart: DefineChart) -> Accounts:
    """Give the accounts of a chart. A role that it does not name has the account of the default chart."""
    roles = ROLES | {one.role: one.account for one in chart.roles}
    return Accounts(
        frozenset(one.account for one in chart.accounts), frozenset(roles[role] for role in CONTROLS)
    )


def _no_yaml(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return Problem(
        "", mark.line + 1 if mark else 1, f"it is no YAML: {said}", "correct the line, or its indent"
    )


# -- values: what a place takes, and what to write there -----------------------------------------------

_SETTINGS: Final = {
    name: kind
    for name, kind in get_type_hints(ConfigureEntity, include_extras=True).items()
    if name not in ("entity", "_", "base_currency")
}
_PROFILE: Final = {
    name: kind
    for name, kind in get_type_hints(DefinePaymentProfile, include_extras=True).items()
    if name not in ("entity", "method", "statuses", "_")
}
_WORDS: Final = {
    CurrencyCode: ("is no ISO 4217 currency", "write a code such as USD"),
    Rate: ("is no rate", "write a decimal above 0 with at most 12 digits on each side, such as 1.0825"),
    Id: ("is no identifier", "write 1 to 64 printable characters"),
    Text: ("is no text", "write at most 500 printable characters on one line"),
}
_CHART: Final = BY_CLASS["ledger", DefineChart]
_PROFILE_ENTRY: Final = BY_CLASS["payments", DefinePaymentProfile]
_MOST_SHOWN = 40
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}(-01)?")


def _optional(kind: Any) -> tuple[Any, bool]:
    """Take a kind apart into what it is and whether null will do."""
    parts = get_args(kind)
    if NoneType in parts:
        return next(part for part in parts if part is not NoneType), True
    return kind, False


def _origin(kind: Any) -> Any:
    return getattr(kind, "__origin__", kind)


def _value(raw: str, kind: Any) -> Any:
    """Read a scalar as the place wants it: `1000` is an account there and an amount here."""
    origin = _origin(kind)
    if origin is bool:
        return {"true": True, "false": False}.get(raw.lower())
    if origin is int:
        return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 18 else None
    if origin is date:
        return date.fromisoformat(raw)
    return kind(raw) if isinstance(kind, type) and issubclass(kind, Enum) else raw


def _words(kind: Any, raw: str) -> tuple[str, str]:
    """Say what is wrong with a scalar, and what to write."""
    origin = _origin(kind)
    if kind in _WORDS:
        return _WORDS[kind]
    if origin is bool:
        return "is neither true nor false", "write one of them"
    if origin is int:
        limits = [mark for mark in getattr(kind, "__metadata__", ()) if hasattr(mark, "le")]
        if kind == Balance:
            return "is no amount in minor units", "write digits only: 25.00 is 2500"
        return "is no whole number in range", f"write digits only, 0 to {limits[0].le}"
    if origin is date:
        return "is no date", "write it as 2026-01-31"
    return f"is no {_name(kind)}", _choice(raw, [one.value for one in kind])


def _name(kind: Any) -> str:
    names: dict[Any, str] = {InstrumentStatus: "instrument status", AccountType: "type of account"}
    return names.get(kind, "role")


def _choice(raw: str, choices: Sequence[str]) -> str:
    """Offer what is close to a word, else all there is."""
    close = difflib.get_close_matches(raw.lower(), [one.lower() for one in choices], 1, 0.6)
    meant = [one for one in choices if one.lower() in close]
    return f"write {meant[0]}" if meant else f"write one of {', '.join(choices)}"


class _Reader:
    """Walks the file and collects problems; what it gives is only sound when there are none."""

    def __init__(self, known: Mapping[str, Known] | None) -> None:
        self.problems: list[Problem] = []
        self._known = known

    def _wrong(self, part: Part, wrong: str, write: str) -> None:
        self.problems.append(Problem(part.path, part.line, wrong, write))

    # -- shapes ----------------------------------------------------------------------------------------

    def _mapping(self, part: Part, what: str) -> dict[str, tuple[Part, Part]]:
        """Read a mapping as key -> (the key's own part, the value's); a key twice is a problem."""
        if not isinstance(part.node, yaml.MappingNode):
            self._wrong(part, "is no mapping", f"write {what}, each as `key: value` on a line of its own")
            return {}
        found: dict[str, tuple[Part, Part]] = {}
        for key, value in part.node.value:
            raw = key.value if isinstance(key, yaml.ScalarNode) else ""
            path = f"{part.path}.{raw}" if part.path else raw
            if not raw:
                self._wrong(Part(key, part.path), "has a key that is no word", f"write {what}")
            elif raw in found:
                first = found[raw][0].line
                self._wrong(Part(key, path), f"is there already, in line {first}", "leave one of the two out")
            else:
                found[raw] = (Part(key, path), Part(value, path, key))
        return found

    def _fields(self, part: Part, known: Sequence[str]) -> dict[str, Part]:
        """Read a mapping of which all keys are known."""
        found: dict[str, Part] = {}
        for name, (key, value) in self._mapping(part, ", ".join(known)).items():
            if name in known:
                found[name] = value
            else:
                self._wrong(key, "is not known here", _choice(name, known))
        return found

    def _list(self, part: Part, what: str) -> list[Part]:
        if not isinstance(part.node, yaml.SequenceNode):
            self._wrong(part, "is no list", f"write [{what}, ...]")
            return []
        return [Part(node, f"{part.path}[{n}]") for n, node in enumerate(part.node.value)]

    def _scalar(self, part: Part, kind: Any) -> Any:
        """Read one value of a field's kind; None when it is a problem, or null where that will do."""
        kind, nullable = _optional(kind)
        if not isinstance(part.node, yaml.ScalarNode):
            self._wrong(part, "is no single value", _words(kind, "")[1])
            return None
        if part.is_null:
            if not nullable:
                self._wrong(part, "is empty", f"{_words(kind, '')[1]}, or leave the line out")
            return None
        raw = part.node.value
        try:
            return codec.adapter(kind).validate_python(_value(raw, kind), strict=True)
        except ValueError:  # also what the codec raises
            wrong, write = _words(kind, raw)
            shown = raw if len(raw) <= _MOST_SHOWN else f"{raw[:_MOST_SHOWN]}..."
            self._wrong(part, f"{shown!r} {wrong}", write)
            return None

    # -- what the file says ----------------------------------------------------------------------------

    def file(self, part: Part) -> list[Wanted]:
        """Read the whole file."""
        top = self._fields(part, ("entities",))
        if "entities" not in top:
            if not self.problems:
                self._wrong(part, "names no entities", "write `entities:` and below it each entity by its id")
            return []
        named = self._mapping(top["entities"], "entities by their id")
        return [self._entity(key, value) for key, value in named.values()]

    def _entity(self, key: Part, part: Part) -> Wanted:
        entity = self._scalar(key, Id) or ""
        fields = self._fields(part, ("base_currency", "settings", "chart", "profiles", "rates", "periods"))
        settings = self._settings(fields["settings"]) if "settings" in fields else {}
        if "base_currency" in fields:
            settings["base_currency"] = self._base_currency(fields["base_currency"], entity)
        chart = self._chart(fields["chart"], entity) if "chart" in fields else None
        accounts = accounts_of(chart) if chart else self._accounts(entity, fields)
        profiles = self._profiles(fields["profiles"], entity, accounts) if "profiles" in fields else ()
        rates = self._rates(fields["rates"], entity, settings) if "rates" in fields else ()
        periods = self._periods(fields["periods"], entity) if "periods" in fields else ()
        return Wanted(entity, settings, chart, profiles, rates, periods)

    def _accounts(self, entity: str, fields: Mapping[str, Part]) -> Accounts | None:
        """Give the accounts of the chart that goes; None when they are not known, or the file's is wrong."""
        return None if self._known is None or "chart" in fields else self._known[entity].accounts

    def _settings(self, part: Part) -> dict[str, Any]:
        fields = self._fields(part, tuple(_SETTINGS))
        return {name: self._scalar(value, _SETTINGS[name]) for name, value in fields.items()}

    def _base_currency(self, part: Part, entity: str) -> str | None:
        currency: str | None = self._scalar(part, CurrencyCode)
        now = self._known[entity].base_currency if self._known else None
        if currency and now and currency != now:
            self._wrong(part, f"is {now} already and cannot change", f"write {now}, or use another entity")
        return currency

    def _account(self, part: Part, accounts: Accounts | None) -> str | None:
        """Read an account that must be in the chart, and no control account of it."""
        account: str | None = self._scalar(part, Id)
        if account is None or accounts is None:
            return account
        allowed = accounts.all - accounts.controls
        shown = ", ".join(sorted(allowed)[:12]) + (", ..." if len(allowed) > 12 else "")
        if account not in accounts.all:
            wrong = f"{account!r} is not in the entity's chart"
            self._wrong(part, wrong, f"add it there, or write one of {shown}")
        elif account in accounts.controls:
            wrong = f"{account!r} is a control account, which holds the sum of documents only"
            self._wrong(part, wrong, f"write another one, such as {shown}")
        return account

    def _chart(self, part: Part, entity: str) -> DefineChart | None:
        fields = self._fields(part, ("accounts", "roles", "reasons", "daybooks", "allowance_method"))
        before = len(self.problems)
        if "accounts" not in fields:
            self._wrong(part, "has no accounts", "write `accounts:` and below it each account by its number")
            return None
        named = self._mapping(fields["accounts"], "accounts by their number")
        accounts = self._chart_accounts(named)
        # Those with a mistake too: it is said once.
        numbers = frozenset(named)
        roles, controls = self._roles(fields, numbers)
        reasons = [
            ReasonAccount(self._scalar(key, Id), self._account(value, Accounts(numbers, controls)) or "")
            for key, value in self._entries(fields, "reasons", "reasons with the account of each")
        ]
        daybooks = [
            Daybook(self._rule(key), self._scalar(value, Text))
            for key, value in self._entries(fields, "daybooks", "posting rules with the daybook of each")
        ]
        allowance = self._scalar(fields["allowance_method"], bool) if "allowance_method" in fields else False
        self._roles_left_out(part, {one.role for one in roles}, numbers)
        chart = DefineChart(entity, accounts, tuple(roles), tuple(reasons), tuple(daybooks), bool(allowance))
        return chart if len(self.problems) == before and self._sound(part, _CHART, chart) else None

    def _roles(
        self, fields: Mapping[str, Part], numbers: frozenset[str]
    ) -> tuple[list[RoleAccount], frozenset[str]]:
        """Read the roles and their accounts, and give the control accounts beside."""
        entries = self._entries(fields, "roles", "roles with the account of each")
        named = {key.node.value: value.node.value for key, value in entries}
        controls = frozenset(str(named.get(role, ROLES[role])) for role in CONTROLS)
        found: list[RoleAccount] = []
        for key, value in entries:
            role = self._scalar(key, Role)
            forbidden: frozenset[str] = frozenset() if role in CONTROLS else controls
            found.append(RoleAccount(role, self._account(value, Accounts(numbers, forbidden)) or ""))
        return found, controls

    def _rule(self, key: Part) -> str:
        rule = str(key.node.value)
        if rule not in RULES:
            self._wrong(key, f"{rule[:_MOST_SHOWN]!r} is no fact that is booked", _choice(rule, RULES))
        return rule

    def _entries(self, fields: Mapping[str, Part], name: str, what: str) -> list[tuple[Part, Part]]:
        return list(self._mapping(fields[name], what).values()) if name in fields else []

    def _chart_accounts(self, named: Mapping[str, tuple[Part, Part]]) -> tuple[Account, ...]:
        found: list[Account] = []
        for key, value in named.values():
            number = self._scalar(key, Id)
            fields = self._fields(value, ("name", "type"))
            for missing in {"name", "type"} - fields.keys():
                self._wrong(value, f"has no {missing}", "write {name: Bank, type: ASSET}")
            if len(fields) == 2:
                name, kind = self._scalar(fields["name"], Text), self._scalar(fields["type"], AccountType)
                found.append(Account(number, name, kind))
        return tuple(found)

    def _roles_left_out(self, part: Part, named: set[Role], numbers: frozenset[str]) -> None:
        """A role that is not named keeps the account of the default chart, which must then be there."""
        missing = [role for role in Role if role not in named and ROLES[role] not in numbers]
        if missing:
            words = ", ".join(f"{role.value} ({ROLES[role]})" for role in missing)
            wrong = f"names no account for roles whose account of the default chart it leaves out: {words}"
            self._wrong(part, wrong, "give each an account under `roles:`, or add the accounts")

    def _profiles(
        self, part: Part, entity: str, accounts: Accounts | None
    ) -> tuple[DefinePaymentProfile, ...]:
        named = self._mapping(part, "profiles by their payment method").values()
        found = [self._profile(key, value, entity, accounts) for key, value in named]
        return tuple(one for one in found if one is not None)

    def _profile(
        self, key: Part, part: Part, entity: str, accounts: Accounts | None
    ) -> DefinePaymentProfile | None:
        before = len(self.problems)
        method = self._scalar(key, Id)
        fields = self._fields(part, ("statuses", *_PROFILE))
        statuses = self._statuses(fields["statuses"], accounts) if "statuses" in fields else ()
        values: dict[str, Any] = {}
        for name in _PROFILE.keys() & fields.keys():
            if name.endswith("_account"):
                values[name] = None if fields[name].is_null else self._account(fields[name], accounts)
            else:
                values[name] = self._scalar(fields[name], _PROFILE[name])
        if len(self.problems) > before:
            return None
        in_use = ALWAYS.union(one.status for one in statuses)
        self._release_status(fields, values, in_use)
        profile = DefinePaymentProfile(entity, method, statuses, **values)
        return (
            profile if len(self.problems) == before and self._sound(part, _PROFILE_ENTRY, profile) else None
        )

    def _release_status(
        self, fields: Mapping[str, Part], values: Mapping[str, Any], in_use: frozenset[InstrumentStatus]
    ) -> None:
        released = values.get("release_status")
        if released is None:
            return
        targets = [one.value for one in InstrumentStatus if one in in_use & RELEASES]
        if released.value not in targets:
            wrong = f"{released.value} is not in use, or no status that a release can lead to"
            self._wrong(
                fields["release_status"], wrong, f"write one of {', '.join(targets)}, or add it to statuses"
            )

    def _statuses(self, part: Part, accounts: Accounts | None) -> tuple[StatusAccount, ...]:
        found: dict[InstrumentStatus, StatusAccount] = {}
        for one in self._list(part, "ALLOCATED, FOR_COLLECTION"):
            account = None
            where = one
            if isinstance(one.node, yaml.MappingNode):
                fields = self._fields(one, ("status", "account"))
                if "status" not in fields:
                    self._wrong(one, "has no status", 'write {status: ALLOCATED, account: "1150"}')
                    continue
                where = fields["status"]
                account = self._account(fields["account"], accounts) if "account" in fields else None
            status: InstrumentStatus | None = self._scalar(where, InstrumentStatus)
            if status is not None and status in found:
                self._wrong(where, f"{status.value} is in the list twice", "leave one of the two out")
            elif status is not None:
                found[status] = StatusAccount(status, account)
        return tuple(found.values())

    def _rates(self, part: Part, entity: str, settings: Mapping[str, Any]) -> tuple[SetRate, ...]:
        base = settings.get("base_currency") or (self._known[entity].base_currency if self._known else None)
        if base is None and (self._known is not None or "base_currency" in settings):
            self._wrong(part, "the entity has no base currency", "write `base_currency: USD` beside it")
        found: list[SetRate] = []
        for key, by_date in self._mapping(part, "currencies with rates by date").values():
            currency = self._scalar(key, CurrencyCode)
            if currency is not None and currency == base:
                self._wrong(key, f"{base} is the base currency: its rate is always 1", "leave it out")
            for day_key, value in self._mapping(
                by_date, "rates by date, such as 2026-01-31: 1.0825"
            ).values():
                day, rate = self._scalar(day_key, date), self._scalar(value, Rate)
                if currency and day and rate:
                    found.append(SetRate(entity, currency, day, rate))
        return tuple(found)

    def _periods(self, part: Part, entity: str) -> tuple[ClosePeriod | OpenPeriod, ...]:
        fields = self._fields(part, ("closed", "open"))
        closed = self._months(fields["closed"]) if "closed" in fields else {}
        opened = self._months(fields["open"]) if "open" in fields else {}
        for month in closed.keys() & opened.keys():
            self._wrong(
                opened[month], f"{month:%Y-%m} is among the closed ones too", "leave one of the two out"
            )
        return (
            *(ClosePeriod(entity, month) for month in closed),
            *(OpenPeriod(entity, month) for month in opened),
        )

    def _months(self, part: Part) -> dict[date, Part]:
        found: dict[date, Part] = {}
        for one in self._list(part, "2026-01"):
            raw = one.node.value if isinstance(one.node, yaml.ScalarNode) else ""
            try:
                if not _MONTH.fullmatch(raw):
                    raise ValueError
                found[date.fromisoformat(f"{raw[:7]}-01")] = one
            except ValueError:
                self._wrong(one, f"{str(raw)[:_MOST_SHOWN]!r} is no month", "write it as 2026-01")
        return found

    def _sound(self, part: Part, entry: Entry, command: Any) -> bool:
        """Check what holds for a command as a whole, as the service will: how long its lists may be."""
        try:
            codec.decode(entry, codec.encode(command))
        except Unreadable as unreadable:
            self._wrong(part, f"is refused with {unreadable.rejection.code}", unreadable.rejection.detail)
            return False
        return True
