"""Reporting owns the read models: customers, items with their movements, payments, aging at any date.

Consumes: the facts of invoicing, payments and the ledger, and the answers to commands. Emits: collection
notes, and how documents and customers' accounts stand, on compacted topics.
"""
