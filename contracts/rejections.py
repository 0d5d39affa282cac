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
    Code("invoice_cleared", "Nothing is owed on the invoice any more.", "Apply to another invoice."),
    Code(
        "currency_differs", "Payment and invoice are in different currencies.", "Apply within one currency."
    ),
    Code("entity_differs", "Payment and invoice belong to different entities.", "Apply within one entity."),
    Code("withdrawn", "The application was withdrawn before it was settled.", "Nothing to do."),
    Code(
        "total_out_of_range",
        "The lines and tax of the invoice sum to more than an amount can be.",
        "Split it.",
    ),
    Code("payment_unknown", "No such payment of this customer.", "Record it first."),
    Code("payment_exists", "The payment exists with other content.", "Use another id."),
    Code(
        "payment_not_editable",
        "Only a payment on hold or balanced can be changed so.",
        "Void and record anew.",
    ),
    Code("payment_not_balanced", "Only a balanced payment can be released.", "Release its hold first."),
    Code("payment_not_applicable", "The payment is closed or voided.", "Use another payment."),
    Code("payment_not_released", "Only a released payment can be voided.", "Release it first."),
    Code("exceeds_available", "The applications exceed what the payment has available.", "Apply less."),
    Code("application_unknown", "The payment has no such application.", "See the payment's applications."),
    Code("application_not_reversible", "The application was declined or reversed already.", "Nothing to do."),
)
"""The business rules refuse the command. Declined applications carry these codes too."""

POSTING: Final = (
    Code(
        "period_closed",
        "The fiscal period of the invoice's date is closed.",
        "Open it, or date the invoice later.",
    ),
    Code("unknown_account", "The entity's chart has no such account.", "Correct the invoice line's account."),
)
"""The ledger refuses to book an invoice, which goes back to draft."""

CODES: Final[dict[str, Code]] = {c.code: c for c in (*WIRE, *PROCESSING, *BUSINESS, *POSTING)}
"""Every code, in order of precedence."""


class Rejection(NamedTuple):
    """A refusal, returned and never raised: a code of this module and a detail for people."""

    code: str
    detail: str = ""
