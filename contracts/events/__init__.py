"""Facts, one module per service that states them. Past tense; never changed once released."""
