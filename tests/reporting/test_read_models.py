"""Every table of reporting is a read model, which a rebuild makes anew, or named here as its own."""

from services.reporting.store import METADATA, READ_MODELS

OWN = {"notes"}


def test_every_table_is_rebuilt_or_known_to_be_decided_by_reporting_itself() -> None:
    assert {table.name for table in READ_MODELS} | OWN == set(METADATA.tables)
    assert OWN.isdisjoint(table.name for table in READ_MODELS)
