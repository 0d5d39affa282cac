"""What is on the wire: money, bytes, the catalog and the published files."""
