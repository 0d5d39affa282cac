"""Invoicing owns customers, invoices and what is still owed on each.

Consumes: its commands; of payments, released applications and reversals; of the ledger, entries and
refusals. Emits: customers changed, invoices drafted, posted, opened, returned to draft, archived;
applications deferred, settled, declined, reversed.
"""
