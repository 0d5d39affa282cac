"""The rules of booking: pure functions and the posting table."""
