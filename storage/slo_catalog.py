"""The objectives in force: what the SLO files say, and drafts for every service that no file speaks for."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slo.draft import drafts_of
from slo.errors import SloFileProblem
from slo.lint import several_environments
from slo.model import Slo
from slo.openslo import LintFacts, read_openslo_files
from slo.openslo_writer import to_openslo
from storage.client import Database
from storage.seen_services import SeenServices, Services

log = logging.getLogger(__name__)

PATTERNS = ("*.yaml", "*.yml", "*.json")


@dataclass(frozen=True, slots=True)
class Catalog:
    """Objectives by id, and what could not be read."""

    slos: dict[str, Slo]
    files: list[str]
    problems: list[SloFileProblem]


class SloCatalog:
    """Reads SLO files again when they change. Thread-safe.

    Args:
        folders: Where the files lie; a missing folder holds none.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = list(folders)
        self._lock = threading.Lock()
        self._stamp: object = None
        self._written: tuple[list[Slo], list[str], list[SloFileProblem]] = ([], [], [])
        self._seen = SeenServices()
        self._last: tuple[object, Services, Catalog] | None = None

    def load(self, database: Database, now: datetime) -> Catalog:
        """Return what is in force at *now*: written objectives first, then drafts of services seen in 30 days."""
        read, services, last = self._read_if_changed(), self._seen.at(database, now), self._last
        if last is None or last[0] is not read or last[1] != services:
            last = self._last = (read, services, _in_force(read, services))
        return last[2]

    def adopt(self, draft: Slo) -> tuple[Path, str]:
        """Write *draft* into the first folder and return the file and its text; from then on it is an objective.

        Raises:
            FileExistsError: there is a file of its name.
            OSError: the folder cannot be written, or there is none.
        """
        folder = next((path for path in self._folders if not path.is_file()), None)
        if folder is None:
            raise FileNotFoundError("no folder for SLO files is set; see NINELIVES_SLOS")
        folder.mkdir(parents=True, exist_ok=True)
        path, text = folder / f"{draft.id}.yaml", to_openslo(draft)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        return path, text

    def _read_if_changed(self) -> tuple[list[Slo], list[str], list[SloFileProblem]]:
        with self._lock:
            paths = find_slo_files(self._folders)
            stamp = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
            if stamp != self._stamp:
                self._written = read_slo_files(paths)
                self._stamp = stamp
                for problem in self._written[2]:
                    log.warning("SLO file %s", problem)
            return self._written


def find_slo_files(folders: Sequence[Path]) -> list[Path]:
    """Return the YAML and JSON files of *folders* (a file among them stands for itself), sorted."""
    found: set[Path] = set()
    for folder in folders:
        if folder.is_file():
            found.add(folder)
        else:
            found.update(path for pattern in PATTERNS for path in folder.glob(pattern))
    return sorted(found)


def read_slo_files(
    paths: Sequence[Path], *, strict: bool = False, facts: LintFacts | None = None
) -> tuple[list[Slo], list[str], list[SloFileProblem]]:
    """Return the objectives of *paths*, the paths, and a problem for whatever could not be read or is suspicious."""
    texts: dict[str, str] = {}
    unreadable: list[SloFileProblem] = []
    for path in paths:
        try:
            texts[str(path)] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            unreadable.append(SloFileProblem(str(path), None, f"cannot be read: {error}"))
    slos, problems = read_openslo_files(texts, strict=strict, facts=facts)
    return slos, [str(path) for path in paths], unreadable + problems


def _in_force(read: tuple[list[Slo], list[str], list[SloFileProblem]], services: Services) -> Catalog:
    written, files, problems = read
    slos = {slo.id: slo for slo in written}
    for draft in drafts_of(services):
        if not any(_speaks_for(slo, draft) for slo in written):
            slos.setdefault(draft.id, draft)
    return Catalog(slos, files, problems + _mixed_environments(slos, services))


def _mixed_environments(slos: dict[str, Slo], services: Sequence[tuple[str, str]]) -> list[SloFileProblem]:
    """Return a warning for each objective that counts several environments of a service together."""
    return [
        SloFileProblem(
            slos[finding.slo_id].source, None, f"{finding.slo_id}: {finding.reason}", "warning", "", finding.name
        )
        for finding in several_environments(slos.values(), services)
    ]


def _speaks_for(written: Slo, draft: Slo) -> bool:
    """Whether *written* is an objective of the draft's kind, service and environment: then the draft is not needed."""
    return (
        written.kind == draft.kind
        and written.service == draft.service
        and written.indicator.environment in {None, draft.environment}
    )
