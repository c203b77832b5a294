"""The file of routes and receivers in force, read again when it changes."""

import contextlib
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from alerts.config import AlertingConfig, default_config, read_config
from alerts.config_problems import InvalidConfig
from slo.errors import SloFileProblem

log = logging.getLogger(__name__)


class AlertingFile:
    """Reads alerts.yaml, and keeps the last good state of it. Thread-safe.

    One that is broken at the start leaves the receivers of *webhooks* alone in force; one that breaks or vanishes later
    changes nothing. Both are logged as errors, and told by `problems` until they are put right.

    Args:
        path: the file.
        webhooks: addresses that are told of every alert, whatever the file says.
        required: whether it is a problem that there is none.
    """

    def __init__(self, path: Path, webhooks: Sequence[str] = (), *, required: bool = False) -> None:
        self._path = path
        self._webhooks = tuple(webhooks)
        self._required = required
        self._lock = threading.Lock()
        self._seen: object = object()
        self._config = default_config(webhooks)
        self._problems: tuple[SloFileProblem, ...] = ()

    def load(self) -> AlertingConfig:
        """Return what is in force."""
        with self._lock:
            version = _version(self._path)
            if version != self._seen:
                if version is not None or self._required or self._seen_before:
                    self._read()
                self._seen = version
            return self._config

    @property
    def problems(self) -> tuple[SloFileProblem, ...]:
        """What is wrong with the file as it is now: an "error" that it is not used, a "warning" that a part is not."""
        with self._lock:
            return self._problems

    @property
    def problem(self) -> str:
        """Return in one line that the file is not used, "" if it is."""
        errors = [problem for problem in self.problems if problem.level == "error"]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return f"{errors[0]}{more}" if errors else ""

    @property
    def _seen_before(self) -> bool:
        return isinstance(self._seen, tuple)

    def _read(self) -> None:
        try:
            text = self._path.read_text(encoding="utf-8")
            self._config = read_config(text, str(self._path), folder=self._path.parent, webhooks=self._webhooks)
        except InvalidConfig as error:
            self._problems = error.problems
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            self._problems = (SloFileProblem(str(self._path), None, f"the file cannot be read: {reason}"),)
        else:
            self._problems = self._config.warnings
        self._tell()

    def _tell(self) -> None:
        for problem in self._problems:
            log.log(logging.ERROR if problem.level == "error" else logging.WARNING, "alert routes: %s", problem)
        if any(problem.level == "error" for problem in self._problems):
            kept = "the last good routes stay" if self._seen_before else "no routes but those of NINELIVES_WEBHOOKS are"
            log.error("%s is not used; %s in force", self._path, kept)
        else:
            log.info("read %s", self._path)


def _version(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None
