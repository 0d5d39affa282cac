"""Payment profiles: which statuses the payments of one method go through, and where each is booked."""

from collections.abc import Sequence
from typing import Final

from contracts.commands import DefinePaymentProfile, RoleAccount
from contracts.events.payments import PaymentProfileDefined
from contracts.fields import InstrumentStatus, Role
from contracts.rejections import Rejection
from services.payments.domain.transitions import RELEASES

Profile = PaymentProfileDefined
"""A profile is what was last said of it."""

ALWAYS: Final = frozenset({InstrumentStatus.PAID, InstrumentStatus.BOUNCED})
"""The statuses that every profile uses, named or not."""

ROLES: Final[dict[InstrumentStatus, Role]] = {
    InstrumentStatus.ALLOCATED: Role.ALLOCATED,
    InstrumentStatus.ACCEPTED: Role.ACCEPTED,
    InstrumentStatus.FOR_COLLECTION: Role.FOR_COLLECTION,
    InstrumentStatus.CONDITIONAL_COLLECTION: Role.CONDITIONAL_COLLECTION,
    InstrumentStatus.PAID_CONDITIONALLY: Role.DISCOUNTED_DRAFTS,
    InstrumentStatus.PAID: Role.BANK,
    InstrumentStatus.BOUNCED: Role.BOUNCED,
}
"""Which role's account a status is booked on. INITIAL is not booked."""


def decide_profile(profile: Profile | None, command: DefinePaymentProfile) -> Sequence[Profile] | Rejection:
    """Define a profile anew. The same again is nothing new."""
    named = [one.status for one in command.statuses]
    if len(set(named)) < len(named):
        return Rejection("profile_invalid", "a status is named twice")
    if command.release_status not in RELEASES or command.release_status not in ALWAYS.union(named):
        return Rejection("profile_invalid", f"no release can lead to {command.release_status}")
    defined = PaymentProfileDefined(
        command.entity,
        command.method,
        command.statuses,
        command.release_status,
        command.bank_account,
        command.liability_account,
        command.daybook,
        command.card,
    )
    return () if defined == profile else (defined,)


def evolve_profile(_: Profile | None, fact: Profile) -> Profile:
    """Give the profile after a fact."""
    return fact


def uses(profile: Profile | None, status: InstrumentStatus) -> bool:
    """Say whether the profile uses a status. Where there is no profile, all are in use."""
    if profile is None or status in ALWAYS:
        return True
    return any(one.status is status for one in profile.statuses)


def is_card(profile: Profile | None) -> bool:
    """Say whether payments wait for a capture before they can be released."""
    return profile is not None and profile.card


def accounts_of(profile: Profile | None) -> tuple[RoleAccount, ...]:
    """Give the accounts that take the place of the entity's, by role."""
    if profile is None:
        return ()
    accounts = {ROLES[one.status]: one.account for one in profile.statuses if one.status in ROLES}
    # What is said of the bank and of the liability as such comes before what their statuses say.
    if profile.bank_account:
        accounts[Role.BANK] = profile.bank_account
    if profile.liability_account:
        accounts[Role.DISCOUNTED_DRAFTS] = profile.liability_account
    return tuple(RoleAccount(role, account) for role, account in accounts.items() if account)
