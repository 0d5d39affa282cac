"""The HTTP API over the read models, and the door by which commands come in."""
