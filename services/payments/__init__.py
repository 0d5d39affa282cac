"""Payments owns what customers have paid and how much of it is available.

Consumes: its commands; of invoicing, the answers to applications (settled, declined, reversed).
Emits: payments recorded, held, released, voided, closed and reopened; applications released and
what became of them.
"""
