"""Forward-only migrations: numbered `.sql` files, one statement each, whose applied text never changes."""

import hashlib
from dataclasses import dataclass
from importlib import resources

from storage.client import Database
from storage.errors import DatabaseError, MigrationError

CREATE_LEDGER = (
    "CREATE TABLE IF NOT EXISTS migrations"
    " (name String, checksum String, applied_at DateTime('UTC') DEFAULT now('UTC'))"
    " ENGINE = MergeTree ORDER BY name SETTINGS fsync_after_insert = 1"
)


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations() -> list[Migration]:
    """Return the shipped migrations in order."""
    folder = resources.files("storage").joinpath("migrations")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [Migration(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in files]


def pending(database: Database, migrations: list[Migration]) -> list[Migration]:
    """Return those of *migrations* that were not applied yet.

    Raises:
        MigrationError: an applied file was changed or is gone.
    """
    database.command(CREATE_LEDGER)
    with database.client() as client:
        applied: dict[str, str] = dict(map(tuple, client.query("SELECT name, checksum FROM migrations").result_rows))
    known = {migration.name: migration for migration in migrations}
    for name, checksum in applied.items():
        if name not in known:
            raise MigrationError(
                f"the database has migration {name}, which this version does not know: use the newer version"
            )
        if known[name].checksum != checksum:
            raise MigrationError(
                f"migration {name} was changed after it had been applied: restore the file, add a new one"
            )
    return [migration for migration in migrations if migration.name not in applied]


def migrate(database: Database, migrations: list[Migration] | None = None) -> list[str]:
    """Apply what is pending, in order, and return the names.

    Raises:
        MigrationError: naming the file that failed; the ones before it stay applied.
    """
    done = []
    for migration in pending(database, migrations if migrations is not None else load_migrations()):
        try:
            database.command(migration.sql)
        except DatabaseError as error:
            raise MigrationError(f"migration {migration.name} failed: {error}") from error
        database.insert("migrations", [(migration.name, migration.checksum)], ["name", "checksum"])
        done.append(migration.name)
    return done
