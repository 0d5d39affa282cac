"""The chart of accounts, and which account plays which role. One for all entities, for now."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an account is for. Posting rules name roles, entities name accounts."""

    BANK = "bank"
    AR_CONTROL = "ar_control"
    UNAPPLIED_CASH = "unapplied_cash"
    TAX_PAYABLE = "tax_payable"
    REVENUE = "revenue"


ACCOUNTS: Final[dict[str, str]] = {
    "1000": "Bank",
    "1200": "Accounts receivable",
    "2100": "Unapplied cash",
    "2200": "Tax payable",
    "4000": "Revenue",
    "4100": "Revenue, services",
    "4900": "Other income",
}
"""Account number -> name."""

ROLES: Final[dict[Role, str]] = {
    Role.BANK: "1000",
    Role.AR_CONTROL: "1200",
    Role.UNAPPLIED_CASH: "2100",
    Role.TAX_PAYABLE: "2200",
    Role.REVENUE: "4000",
}
"""Role -> account number."""

CONTROL: Final = frozenset({ROLES[Role.AR_CONTROL], ROLES[Role.UNAPPLIED_CASH]})
"""Accounts that hold the sum of documents: an invoice line that named one would part the two."""
