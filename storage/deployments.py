"""Deployments, as the spans tell of them: a version of a service that had not been there before."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Final

from storage.client import Database
from storage.times import whole

KNOWN_FOR: Final = timedelta(days=1)  # a version that had no request for longer counts as new again


@dataclass(frozen=True, slots=True)
class VersionChange:
    """`version` of `service` had its first request at `at`, a whole minute; the newest one until then was `before`."""

    service: str
    version: str
    before: str
    at: datetime


def version_changes(
    database: Database, services: Collection[str], environment: str | None, *, start: datetime, end: datetime
) -> list[VersionChange]:
    """Return which of *services* got a new version in [start, end), the newest first.

    The first version of a service that was not there before changes nothing, so it is none of them. *environment* None
    looks at all of them.
    """
    if not services:
        return []
    parameters = {
        "services": sorted(set(services)),
        "any_environment": environment is None,
        "environment": environment or "",
        "start": whole(start - KNOWN_FOR),
        "end": whole(end),
    }
    rows = database.rows("deployed_versions", parameters)
    found = [
        VersionChange(service, row["version"], before["version"], row["first_minute"])
        for service, versions in groupby(rows, key=itemgetter("service"))
        for before, row in pairwise(versions)
        if row["first_minute"] >= start
    ]
    return sorted(found, key=lambda change: (change.at, change.service), reverse=True)
