"""Pages that follow from tables of the domain, written by `python -m services.documents`."""
