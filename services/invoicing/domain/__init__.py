"""The rules of customers and invoices: pure functions over plain data."""
