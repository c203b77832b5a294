"""The schema: tables by numbered migrations that only go forward, and views, made anew when their text changes."""

from importlib import resources

from storage.client import Database
from storage.errors import DatabaseError, MigrationError
from storage.migration import Migration
from storage.views import ViewSettings, are_current, load_views, recreate

CREATE_LEDGER = (
    "CREATE TABLE IF NOT EXISTS migrations"
    " (name String, checksum String, applied_at DateTime('UTC') DEFAULT now('UTC'))"
    " ENGINE = MergeTree ORDER BY name SETTINGS fsync_after_insert = 1"
)
LEDGER = "SELECT name, checksum FROM migrations"


def load_migrations() -> list[Migration]:
    """Return the shipped migrations in order."""
    folder = resources.files("storage").joinpath("migrations")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [Migration(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in files]


def pending(database: Database, migrations: list[Migration]) -> list[Migration]:
    """Return those of *migrations* that were not applied yet. Reads only.

    Raises:
        MigrationError: an applied file was changed or is gone.
    """
    applied = _applied(database)
    known = {migration.name: migration for migration in migrations}
    for name, checksum in applied.items():
        if name not in known:
            raise MigrationError(
                f"the database has migration {name}, which this version does not know: use the newer version that made"
                " it, or, if it was made before the first release, a new data folder"
            )
        if known[name].checksum != checksum:
            raise MigrationError(
                f"migration {name} was changed after it had been applied: restore the file, add a new one"
            )
    return [migration for migration in migrations if migration.name not in applied]


def plan(database: Database, settings: ViewSettings | None = None) -> list[Migration]:
    """Return every statement that `migrate` would run now. Reads only.

    Raises:
        MigrationError: as `pending`.
    """
    views = load_views(settings or ViewSettings())
    tables = pending(database, load_migrations())
    return tables if not tables and are_current(database, views) else [*tables, *views]


def migrate(
    database: Database, migrations: list[Migration] | None = None, settings: ViewSettings | None = None
) -> list[str]:
    """Apply what is pending, in order, make the views anew when a table or their text changed, and return the names.

    Raises:
        MigrationError: naming the file that failed; the ones before it stay applied.
    """
    database.command(CREATE_LEDGER)
    done = [
        _apply(database, table) for table in pending(database, load_migrations() if migrations is None else migrations)
    ]
    views = load_views(settings or ViewSettings()) if migrations is None else []
    if views and (done or not are_current(database, views)):
        recreate(database, views)
        done += [view.name for view in views]
    return done


def _apply(database: Database, migration: Migration) -> str:
    try:
        database.command(migration.sql)
    except DatabaseError as error:
        raise MigrationError(f"migration {migration.name} failed: {error}") from error
    database.insert("migrations", [(migration.name, migration.checksum)], ["name", "checksum"])
    return migration.name


def _applied(database: Database) -> dict[str, str]:
    if not int(database.command("EXISTS TABLE migrations")):
        return {}
    with database.client() as client:
        return dict(map(tuple, client.query(LEDGER).result_rows))
