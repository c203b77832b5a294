"""What can go wrong between us and ClickHouse."""

import re


class StorageError(Exception):
    """Base of all errors of this package."""


class DatabaseUrlError(StorageError):
    """The ClickHouse URL is neither `chdb://<absolute folder>` nor `http(s)://…`."""


class DataFolderHeldError(StorageError):
    """Another process holds the data folder: chDB allows one process a folder."""


class MigrationError(StorageError):
    """A migration failed, or an applied file was changed afterwards."""


class DatabaseError(StorageError):
    """ClickHouse refused a statement or could not be reached.

    Attributes:
        code: ClickHouse's error code, 0 when none was given (for example: no connection).
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        found = re.search(r"[Cc]ode: ?(\d+)", message)
        self.code = int(found.group(1)) if found else 0


# A decode error stored nothing, so the insert may be split; every other failure is retried whole.
DECODE_ERROR_CODES = frozenset({32, 36, 131, 436, 444})
