"""How entity 391 works: settings, rates, a profile for drafts, and its chart."""

from datetime import date
from typing import Final

from contracts import commands as c
from contracts.events import configuration as cf
from contracts.events import ledger as le
from contracts.events import payments as p
from contracts.fields import AccountType, InstrumentStatus, Role
from contracts.samples.story import ENTITY, ENTITY_LANE, asked, said

_SETTINGS: Final = c.ConfigureEntity(
    ENTITY,
    base_currency="USD",
    require_payment_reference=True,
    discount_grace_days=2,
    write_off_limit=500,
    credit_write_off_limit=100,
)
_CONFIGURED: Final = cf.EntityConfigured(
    ENTITY,
    base_currency="USD",
    hold_on_entry=False,
    require_payment_reference=True,
    validate_totals_on_entry=False,
    auto_apply_on_release=False,
    apply_finance_charges_first=False,
    discount_grace_days=2,
    write_off_limit=500,
    credit_write_off_limit=100,
)
_STATUSES: Final = (
    c.StatusAccount(InstrumentStatus.ACCEPTED, "1115"),
    c.StatusAccount(InstrumentStatus.FOR_COLLECTION),
)
_ACCOUNTS: Final = (
    c.Account("1000", "Bank", AccountType.ASSET),
    c.Account("1110", "Drafts", AccountType.ASSET),
    c.Account("1115", "Drafts accepted", AccountType.ASSET),
    c.Account("1120", "Drafts for collection", AccountType.ASSET),
    c.Account("1190", "Bounced", AccountType.ASSET),
    c.Account("1200", "Accounts receivable", AccountType.ASSET),
    c.Account("1290", "Allowance for bad debt", AccountType.ASSET),
    c.Account("1900", "Clearing", AccountType.ASSET),
    c.Account("1999", "Suspense", AccountType.ASSET),
    c.Account("2100", "Unapplied cash", AccountType.LIABILITY),
    c.Account("2110", "Customer deposits", AccountType.LIABILITY),
    c.Account("2120", "Discounted drafts", AccountType.LIABILITY),
    c.Account("2200", "Sales tax payable", AccountType.LIABILITY),
    c.Account("4000", "Sales", AccountType.INCOME),
    c.Account("4100", "Delivery", AccountType.INCOME),
    c.Account("4800", "Finance charges", AccountType.INCOME),
    c.Account("4900", "Other income", AccountType.INCOME),
    c.Account("6100", "Bank charges", AccountType.EXPENSE),
    c.Account("6150", "Small balances", AccountType.EXPENSE),
    c.Account("6200", "Bad debt", AccountType.EXPENSE),
    c.Account("6300", "Discounts allowed", AccountType.EXPENSE),
    c.Account("6400", "Exchange differences", AccountType.EXPENSE),
)
_ROLES: Final = (
    c.RoleAccount(Role.BANK, "1000"),
    c.RoleAccount(Role.BANK_CHARGES, "6100"),
    c.RoleAccount(Role.AR_CONTROL, "1200"),
    c.RoleAccount(Role.UNAPPLIED_CASH, "2100"),
    c.RoleAccount(Role.CUSTOMER_DEPOSITS, "2110"),
    c.RoleAccount(Role.REFUND_CLEARING, "1900"),
    c.RoleAccount(Role.PAYER_CLEARING, "1900"),
    c.RoleAccount(Role.CURRENCY_CLEARING, "1900"),
    c.RoleAccount(Role.ALLOCATED, "1110"),
    c.RoleAccount(Role.ACCEPTED, "1110"),
    c.RoleAccount(Role.FOR_COLLECTION, "1120"),
    c.RoleAccount(Role.CONDITIONAL_COLLECTION, "1120"),
    c.RoleAccount(Role.DISCOUNTED_DRAFTS, "2120"),
    c.RoleAccount(Role.BOUNCED, "1190"),
    c.RoleAccount(Role.TAX_PAYABLE, "2200"),
    c.RoleAccount(Role.REVENUE, "4000"),
    c.RoleAccount(Role.FINANCE_CHARGE_INCOME, "4800"),
    c.RoleAccount(Role.DISCOUNT_ALLOWED, "6300"),
    c.RoleAccount(Role.BAD_DEBT, "6200"),
    c.RoleAccount(Role.ALLOWANCE, "1290"),
    c.RoleAccount(Role.SMALL_BALANCE_WRITE_OFF, "6150"),
    c.RoleAccount(Role.CREDIT_WRITE_OFF_INCOME, "4900"),
    c.RoleAccount(Role.FX_GAIN, "6400"),
    c.RoleAccount(Role.FX_LOSS, "6400"),
    c.RoleAccount(Role.FX_ROUNDING, "6400"),
    c.RoleAccount(Role.SUSPENSE, "1999"),
)
_REASONS: Final = (c.ReasonAccount("small_balance", "6150"),)
_DAYBOOKS: Final = (c.Daybook("InvoicePosted", "SALES"),)

MESSAGES: Final = (
    asked("erp-0901", "2012-01-02T07:00:00Z", "invoicing", _SETTINGS),
    said("invoicing", 1, 1, "2012-01-02T07:00:00.070Z", "erp-0901", _CONFIGURED, lane=ENTITY_LANE),
    asked("erp-0902", "2012-01-02T07:00:01Z", "payments", _SETTINGS),
    said("payments", 1, 1, "2012-01-02T07:00:01.070Z", "erp-0902", _CONFIGURED, lane=ENTITY_LANE),
    asked("erp-0903", "2012-01-02T07:00:02Z", "ledger", _SETTINGS),
    said("ledger", 1, 1, "2012-01-02T07:00:02.070Z", "erp-0903", _CONFIGURED, lane=ENTITY_LANE),
    asked(
        "erp-0904",
        "2012-01-02T07:10:00Z",
        "ledger",
        c.DefineChart(ENTITY, _ACCOUNTS, _ROLES, _REASONS, _DAYBOOKS),
    ),
    said(
        "ledger",
        3,
        2,
        "2012-01-02T07:10:00.080Z",
        "erp-0904",
        le.ChartDefined(ENTITY, _ACCOUNTS, _ROLES, _REASONS, _DAYBOOKS, allowance_method=False),
        lane=ENTITY_LANE,
    ),
    asked(
        "erp-0905",
        "2012-01-02T07:20:00Z",
        "payments",
        c.DefinePaymentProfile(
            ENTITY, "draft", _STATUSES, release_status=InstrumentStatus.ACCEPTED, daybook="DRAFTS"
        ),
    ),
    said(
        "payments",
        3,
        2,
        "2012-01-02T07:20:00.080Z",
        "erp-0905",
        p.PaymentProfileDefined(
            ENTITY,
            "draft",
            _STATUSES,
            InstrumentStatus.ACCEPTED,
            bank_account=None,
            liability_account=None,
            daybook="DRAFTS",
            card=False,
        ),
        lane=ENTITY_LANE,
    ),
    asked(
        "erp-0906",
        "2012-03-01T06:00:00Z",
        "invoicing",
        c.SetRate(ENTITY, "CAD", date(2012, 3, 1), "1.0115"),
    ),
    said(
        "invoicing",
        3,
        2,
        "2012-03-01T06:00:00.060Z",
        "erp-0906",
        cf.RateSet(ENTITY, "CAD", date(2012, 3, 1), "1.0115"),
        lane=ENTITY_LANE,
    ),
    asked(
        "erp-0907",
        "2012-03-01T06:00:01Z",
        "payments",
        c.SetRate(ENTITY, "CAD", date(2012, 3, 1), "1.0115"),
    ),
    said(
        "payments",
        5,
        3,
        "2012-03-01T06:00:01.060Z",
        "erp-0907",
        cf.RateSet(ENTITY, "CAD", date(2012, 3, 1), "1.0115"),
        lane=ENTITY_LANE,
    ),
)
