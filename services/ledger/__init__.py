"""The ledger owns the journal: what was booked, in which period, on which account.

Consumes: its commands; of invoicing and payments, the facts that its posting table names.
Emits: entries posted, postings refused; of an entity its settings, its chart, months closed and opened.
"""
