"""Reporting owns the read models: customers, items with their movements, payments, aging at any date.

Consumes: the facts of invoicing, payments and the ledger. Emits what it decides on itself: collection notes.
"""
