"""What is on the wire between upstream systems, the four services and BI.

Owns message types, their schemas, the envelope and the table that names them all (`catalog`).
Holds no I/O and knows no service's state, so that outsiders can depend on it alone.
"""
