"""Every code with which a message can be refused, in order of precedence: the first that applies is given.

A code is never renamed or reused; one that is no longer given stays here with that said. Tests and
upstream systems rely on codes, never on the detail text.
"""

from typing import Final, NamedTuple


class Code(NamedTuple):
    """A code, what it means, and what the sender can do about it."""

    code: str
    meaning: str
    remedy: str


WIRE: Final = (
    Code("tombstone", "The record has no value.", "Send a body; nothing is deleted on these topics."),
    Code(
        "bad_header", "A header is not UTF-8, is too long, or has control characters.", "Send UTF-8 headers."
    ),
    Code(
        "bad_envelope",
        "A CloudEvents attribute (specversion 1.0, id, source, type) is missing or malformed.",
        "Send binary mode (ce_ headers) or structured mode (application/cloudevents+json).",
    ),
    Code("unknown_type", "No such message type.", "See the catalog for the types."),
    Code("unknown_version", "The type exists, but not in this version.", "Send a version from the catalog."),
    Code("wrong_topic", "The type does not belong on this topic.", "Send it to the topic the catalog names."),
    Code("body_too_large", "The body exceeds 1,048,576 bytes.", "Split the document."),
    Code("not_json", "The body is not JSON in UTF-8.", "Send a JSON object."),
    Code("missing_field", "A required field is absent.", "Add the field the detail names."),
    Code("unknown_currency", "The currency is not in ISO 4217.", "Send a three-letter ISO 4217 code."),
    Code(
        "bad_amount",
        "An amount is not an integer of minor units, or is out of range.",
        "Send 1240.00 USD as 124000.",
    ),
    Code("bad_field", "A field has the wrong type, length or characters.", "See the type's JSON Schema."),
    Code(
        "wrong_key", "The record's key is not the field that the catalog names as key.", "Key by that field."
    ),
    Code(
        "wrong_lane",
        "The record lies in another partition than its key hashes to.",
        "Use Kafka's default partitioner.",
    ),
    Code(
        "id_reused",
        "This message id was used before, with other content.",
        "Give every message its own id; repeat one only unchanged.",
    ),
)
"""The message cannot be taken as it is."""

PROCESSING: Final = (
    Code(
        "failed",
        "The service failed on the message; it is kept, and its aggregate is parked.",
        "Operators replay it.",
    ),
    Code("storage_refused", "The database refuses what follows from the message.", "Operators replay it."),
    Code(
        "parked",
        "An earlier message of the same aggregate failed; this one waits behind it.",
        "Operators replay it.",
    ),
    Code("nothing_parked", "No message is parked on this aggregate.", "List what is parked first."),
)
"""The message is sound, and could not be processed."""

BUSINESS: Final = (
    Code("invoice_unknown", "No such invoice of this customer.", "Draft or issue it first."),
    Code("invoice_exists", "The invoice exists with other content.", "Use another id, or edit the draft."),
    Code(
        "invoice_not_draft",
        "Only a draft can be edited or posted.",
        "Nothing to do, or correct with a new document.",
    ),
    Code("invoice_not_archivable", "Only a cleared invoice or a draft can be archived.", "Settle it first."),
    Code("invoice_not_archived", "The invoice is not in the archive.", "Nothing to do."),
    Code("invoice_archived", "The invoice is archived and takes no application.", "Unarchive it first."),
    Code(
        "invoice_cleared",
        "Nothing is owed on the invoice any more, or left of the credit note.",
        "Apply to another invoice.",
    ),
    Code(
        "invoice_not_owing",
        "The invoice is not open: nothing of it can be written off or credited.",
        "Wait until it is open, or see its status.",
    ),
    Code(
        "not_a_credit_note",
        "The document is owed by the customer; only a credit note can be applied or refunded.",
        "Name a credit note.",
    ),
    Code(
        "is_credit_note",
        "The document is a credit note, on which nothing is paid.",
        "Apply it to an invoice, or refund it.",
    ),
    Code(
        "payer_unrelated",
        "The payer is not among those who may pay for the customer.",
        "Register the payer with the customer, or use the customer's own payment.",
    ),
    Code("entity_differs", "Payment and invoice belong to different entities.", "Apply within one entity."),
    Code(
        "currency_differs",
        "Payment and invoice are in different currencies, and no cross rate is given.",
        "Give a cross rate, or apply within one currency.",
    ),
    Code("amount_too_small", "Converted into the invoice's currency, the amount is nothing.", "Apply more."),
    Code(
        "discount_not_allowed",
        "So much discount is not open to this application: none agreed, too late, or taken already.",
        "Ask for less, or leave the discount to the invoice's terms.",
    ),
    Code(
        "write_off_over_limit",
        "The write-off is above the limit of the customer or the entity.",
        "Write off less, or raise the limit.",
    ),
    Code(
        "write_off_exceeds_residual",
        "The write-off is above what is owed or available.",
        "Write off no more than that.",
    ),
    Code("write_off_unknown", "The invoice has no such write-off.", "See the invoice's write-offs."),
    Code("withdrawn", "The application was withdrawn before it was settled.", "Nothing to do."),
    Code(
        "total_out_of_range",
        "The lines and tax of the invoice sum to more than an amount can be.",
        "Split it.",
    ),
    Code(
        "control_total_differs",
        "The control total is not the total of the document, or is missing where the entity asks for it.",
        "Correct the lines or the control total.",
    ),
    Code(
        "instalments_differ",
        "The instalments do not sum to the total, or a credit note has some.",
        "Correct them.",
    ),
    Code(
        "discount_invalid",
        "A discount has exactly one of percent and amount, not above the total, and no credit note has one.",
        "Correct the terms.",
    ),
    Code(
        "rate_unknown",
        "The entity has a base currency, and no rate of this currency for the date is known.",
        "Give the rate in the document, or set it.",
    ),
    Code(
        "rate_not_one",
        "The document is in the entity's base currency, or the entity has none: the rate can only be 1.",
        "Leave the rate out, or configure the entity.",
    ),
    Code("payment_unknown", "No such payment of this customer.", "Record it first."),
    Code("payment_exists", "The payment exists with other content.", "Use another id."),
    Code(
        "payment_not_editable",
        "Only a payment on hold or balanced can be changed so.",
        "Void and record anew.",
    ),
    Code("payment_not_pending", "The payment does not wait for a capture.", "Nothing to do."),
    Code(
        "payment_not_balanced",
        "Only a balanced payment can be released.",
        "Release its hold or confirm its capture first.",
    ),
    Code(
        "payment_not_open",
        "Only an open payment with something available can be used so.",
        "Use another payment.",
    ),
    Code("payment_not_reserved", "The payment is not reserved.", "Nothing to do."),
    Code(
        "payment_not_applicable",
        "The payment takes no application: it is closed, voided, bounced, reserved or a refund.",
        "Use another payment.",
    ),
    Code("payment_not_released", "Only a released payment can be voided.", "Release it first."),
    Code(
        "payment_reference_required",
        "The entity asks for a payment reference.",
        "Give the reference; card payments need none.",
    ),
    Code(
        "reversals_pending",
        "Applications of the payment are still being reversed.",
        "Try again when they are.",
    ),
    Code("charges_exceed_amount", "The charges are not less than the amount.", "Correct the charges."),
    Code(
        "exceeds_available",
        "What is asked exceeds what the payment, prepayment or credit note has available.",
        "Ask for less.",
    ),
    Code(
        "refund_not_fully_applied",
        "A refund's sources must sum to its amount before it is released.",
        "Add what it pays back.",
    ),
    Code(
        "refund_source_unknown",
        "A refund's source does not exist, or cannot be refunded.",
        "Name released payments, prepayments or credit notes of the customer, its entity and currency.",
    ),
    Code(
        "not_a_refund",
        "Only a refund has sources, and it has no applications, charges or order.",
        "Record it as a refund.",
    ),
    Code("order_not_allowed", "Only a prepayment is for an order.", "Record it as a prepayment."),
    Code("nothing_listed", "No application is listed on the payment.", "List some first."),
    Code("nothing_to_apply", "No open invoice is left that the payment could be used for.", "Nothing to do."),
    Code(
        "nothing_suggested",
        "Nothing was suggested for the payment, or it has changed since.",
        "Ask for a suggestion first.",
    ),
    Code(
        "application_unknown", "The payment or credit note has no such application.", "See its applications."
    ),
    Code("application_not_reversible", "The application was declined or reversed already.", "Nothing to do."),
    Code(
        "instrument_not_released",
        "The payment is not released, or has no instrument: a refund has none.",
        "Release it first.",
    ),
    Code(
        "status_not_in_profile",
        "The payment's profile does not use this status.",
        "Use a status of the profile.",
    ),
    Code("instrument_paid", "PAID cannot be undone.", "Use AdjustOpenItem, which reopens what was paid."),
    Code("bounce_first", "A conditionally paid draft cannot go back to initial.", "Let it bounce first."),
    Code(
        "instrument_not_movable",
        "The instrument cannot go from its status to this one.",
        "See the table of statuses.",
    ),
    Code(
        "instrument_not_paid",
        "Only a paid payment is reopened by an open-item adjustment.",
        "Change its status instead.",
    ),
    Code(
        "payment_refunded",
        "Part of the payment is refunded, or about to be: it cannot be undone before its refund is.",
        "Void the refund first, or record what the customer owes as a debit note.",
    ),
    Code(
        "nothing_to_return",
        "The bank holds nothing of the payment that it could take back.",
        "Only what bounced after the bank had paid is taken back.",
    ),
    Code("note_unknown", "No such note of this customer.", "Record it first."),
    Code("note_withdrawn", "The note was withdrawn.", "Record a new one under another id."),
    Code(
        "note_exists",
        "The note exists with other content.",
        "Use another id, and withdraw the note if it was a mistake.",
    ),
    Code(
        "promise_invalid",
        "A promise to pay has an amount and a date, not before that of the contact; no other note has them.",
        "Correct the promise or the kind of the note.",
    ),
    Code(
        "note_not_resolvable",
        "Only a dispute or a promise can be resolved.",
        "Nothing to do, or withdraw the note if it was a mistake.",
    ),
)
"""The business rules refuse the command. Declined applications carry these codes too."""

CONFIGURATION: Final = (
    Code(
        "profile_invalid",
        "The profile does not hold together: a status twice, or a release into one that is not in use.",
        "Correct the profile.",
    ),
    Code(
        "chart_invalid",
        "The chart does not hold together: an account twice, or a role, reason or override names none of it.",
        "Correct the chart.",
    ),
    Code(
        "base_currency_fixed",
        "The base currency cannot change once it is set, nor be set after documents in another currency.",
        "Use another entity.",
    ),
)
"""What an entity is told to go by does not hold together."""

POSTING: Final = (
    Code(
        "period_closed",
        "The fiscal period of the invoice's date is closed.",
        "Open it, or date the invoice later.",
    ),
    Code("unknown_account", "The entity's chart has no such account.", "Correct the invoice line's account."),
    Code(
        "base_currency_unknown",
        "The invoice has a rate, and the ledger knows no base currency of the entity.",
        "Configure the entity, then post the draft again.",
    ),
)
"""The ledger refuses to book an invoice, which goes back to draft."""

CODES: Final[dict[str, Code]] = {c.code: c for c in (*WIRE, *PROCESSING, *BUSINESS, *CONFIGURATION, *POSTING)}
"""Every code, in order of precedence."""


class Rejection(NamedTuple):
    """A refusal, returned and never raised: a code of this module and a detail for people."""

    code: str
    detail: str = ""
