"""How much is stored."""

from storage.client import Database


def span_total(database: Database) -> int:
    """Return the number of stored spans, from the engine's own books."""
    return int(database.rows("span_total")[0]["spans"])
