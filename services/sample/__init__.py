"""The late-payment sample, as package data; see README.md beside it."""
