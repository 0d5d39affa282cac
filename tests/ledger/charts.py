"""Charts for tests."""

from contracts.commands import Account, DefineChart, RoleAccount
from contracts.fields import AccountType, Role
from services.ledger.domain.chart import ACCOUNTS

EVERY_ACCOUNT = tuple(ACCOUNTS.values())
"""All accounts of the default chart."""


def chart(*roles: tuple[Role, str], **more: object) -> DefineChart:
    """The default chart with some roles on other accounts, and a control account 1300 of one's own."""
    accounts = (*EVERY_ACCOUNT, Account("1300", "Customers", AccountType.ASSET))
    named = tuple(RoleAccount(role, account) for role, account in roles)
    return DefineChart("E1", accounts, named, **more)  # type: ignore[arg-type]  # as the test names them


ONE_CONTROL = chart((Role.UNAPPLIED_CASH, "1200"), (Role.CUSTOMER_DEPOSITS, "1200"))
"""What a customer owes and what a customer has paid are on one account."""
