"""What is stated of a document, and which documents a fact changes."""

from contracts.events.invoicing import (
    ApplicationDeclined,
    ApplicationDeferred,
    ApplicationReversed,
    ApplicationSettled,
    CreditApplied,
    CreditUnapplied,
    InvoiceArchived,
    InvoiceDrafted,
    InvoiceOpened,
    InvoicePosted,
    InvoiceReturnedToDraft,
    InvoiceUnarchived,
    InvoiceWrittenOff,
    PayerAnswered,
    WriteOffReversed,
)

CreditFact = CreditApplied | CreditUnapplied
Fact = (
    InvoiceDrafted
    | InvoicePosted
    | InvoiceOpened
    | InvoiceReturnedToDraft
    | InvoiceArchived
    | InvoiceUnarchived
    | ApplicationDeferred
    | ApplicationSettled
    | ApplicationDeclined
    | ApplicationReversed
    | PayerAnswered
    | InvoiceWrittenOff
    | WriteOffReversed
    | CreditFact
)


def documents_of(fact: Fact) -> tuple[str, ...]:
    """Name the documents of the fact's customer that it is folded into: mostly one."""
    if isinstance(fact, CreditFact):
        return (fact.credit_note, fact.invoice)
    # What is said to a payer repeats what was said to the customer.
    return () if isinstance(fact, PayerAnswered) else (fact.invoice,)
