"""The database's schema: `up` and `migrate` bring it to this version, the roles apart only require it."""

import logging

from ninelives.settings import Settings
from storage.client import Database
from storage.errors import DatabaseError, MigrationError
from storage.migrate import load_migrations, migrate, pending, plan
from storage.migration import Migration
from storage.retention import apply_retention
from storage.views import MARKER, CacheAttribute, ViewSettings, load_views

log = logging.getLogger(__name__)

UNKNOWN_DATABASE = 81


def open_database(settings: Settings) -> Database:
    """Open the database and bring it to this version and these settings."""
    database = Database(settings.clickhouse_url, memory_bytes=settings.memory_bytes)
    for name in _update(settings, database):
        log.debug("applied %s", name)
    return database


def connect_database(settings: Settings) -> Database:
    """Return a server's database, which is connected to at first use and whose schema is not ours to change."""
    url = settings.clickhouse_url
    return Database(url, create=False, check=lambda: _require_schema(url))


def _require_schema(url: str) -> None:
    """Raise DatabaseError when tables or views are missing in the database at *url*."""
    database = Database(url, create=False)
    try:
        missing = bool(pending(database, load_migrations())) or not int(database.command(f"EXISTS TABLE {MARKER}"))
    except MigrationError as error:
        raise DatabaseError(str(error)) from error
    except DatabaseError as error:
        if error.code != UNKNOWN_DATABASE:
            raise
        missing = True
    finally:
        database.close()
    if missing:
        name = database.address.database
        raise DatabaseError(f"tables are missing in the database {name!r}: run 'ninelives migrate'")


def _update(settings: Settings, database: Database) -> list[str]:
    done = migrate(database, settings=view_settings(settings))
    apply_retention(
        database,
        raw_days=settings.retention_raw_days,
        metrics_days=settings.retention_metrics_days,
        logs_days=settings.retention_logs_days,
        rollup_days=settings.retention_rollup_days,
    )
    return done


def apply_schema(settings: Settings) -> list[Migration]:
    """Bring the database to this version and these settings, and return the statements that this took."""
    database = Database(settings.clickhouse_url, memory_bytes=settings.memory_bytes)
    try:
        done = set(_update(settings, database))
    finally:
        database.close()
    return [step for step in _all_steps(settings) if step.name in done]


def plan_schema(settings: Settings) -> list[Migration]:
    """Return what `apply_schema` would apply; nothing is changed."""
    database = Database(settings.clickhouse_url, memory_bytes=settings.memory_bytes, create=False)
    try:
        return plan(database, view_settings(settings))
    except DatabaseError as error:
        if error.code != UNKNOWN_DATABASE:
            raise
        return _all_steps(settings)
    finally:
        database.close()


def view_settings(settings: Settings) -> ViewSettings:
    """Return what the settings say inside views. A boolean attribute is a hit when "true" is among the hits."""
    return ViewSettings(
        raw_days=settings.retention_raw_days,
        metrics_days=settings.retention_metrics_days,
        logs_days=settings.retention_logs_days,
        sampling={service: round(1 / share) for service, share in (settings.sampling or {}).items()},
        cache=CacheAttribute(
            settings.cache_attribute, _with_booleans(settings.cache_hits), _with_booleans(settings.cache_misses)
        ),
    )


def _with_booleans(words: list[str]) -> tuple[str | bool, ...]:
    return (*words, *(word == "true" for word in words if word in {"true", "false"}))


def _all_steps(settings: Settings) -> list[Migration]:
    return [*load_migrations(), *load_views(view_settings(settings))]
