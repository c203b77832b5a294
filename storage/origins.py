"""Where telemetry comes from: resources and instrumentation scopes, by origin id."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from storage.attributes import decode_map, hidden_types
from storage.client import Database


@dataclass(frozen=True, slots=True)
class Origin:
    """A resource and a scope. `*_types` name the OTLP type of attributes where JSON does not show it."""

    resource: dict[str, Any] = field(default_factory=dict)
    resource_types: dict[str, str] = field(default_factory=dict)
    dropped_attributes: int = 0
    schema_url: str = ""
    scope: str = ""
    scope_version: str = ""
    scope_attributes: dict[str, Any] = field(default_factory=dict)
    scope_dropped_attributes: int = 0
    scope_schema_url: str = ""


def read_origins(database: Database, ids: Iterable[str]) -> dict[str, Origin]:
    """Return what is known of the origins with these *ids* (16 hexadecimal digits)."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {row["origin"]: _origin(row) for row in database.rows("origins", {"ids": wanted})}


def _origin(row: dict[str, Any]) -> Origin:
    return Origin(
        resource=decode_map(row["attributes_hex"]),
        resource_types=hidden_types(row["attributes_hex"]),
        dropped_attributes=row["dropped_attributes"],
        schema_url=row["schema_url"],
        scope=row["scope_name"],
        scope_version=row["scope_version"],
        scope_attributes=decode_map(row["scope_attributes_hex"]),
        scope_dropped_attributes=row["scope_dropped_attributes"],
        scope_schema_url=row["scope_schema_url"],
    )
