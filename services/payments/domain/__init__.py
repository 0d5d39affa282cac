"""The rules of payment documents: pure functions over plain data."""
