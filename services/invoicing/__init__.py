"""Invoicing owns customers and what is owed: invoices, debit notes, finance charges, fees and credit notes.

Consumes: its commands; of payments, released applications and reversals; of the ledger, entries and
refusals. Emits: how entities and customers are set up; documents drafted, posted, opened, returned to
draft, archived; applications deferred, settled, declined, reversed, and the answers to payers of other
customers' invoices; credit notes applied and unapplied; write-offs and their reversals.
"""
