"""How the shop is configured and what is broken just now: a small file that the commands write and services poll."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from demo.errors import StateError
from demo.files import write_atomically
from demo.policy import DEFAULT, POLICIES, ConfigurationName, Policy

log = logging.getLogger(__name__)

MODES = ("errors", "latency", "cache")
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class State:
    """`modes` says what is broken: mode → unix time at which it ends; None lasts until `heal`."""

    modes: Mapping[str, float | None] = field(default_factory=dict)
    configuration: ConfigurationName = DEFAULT


def state_path(data: Path) -> Path:
    return data / "demo" / "state.json"


def parse_state(text: str) -> State:
    """Read a state file: a JSON object of modes and their ends, and perhaps the name of the configuration.

    Raises:
        StateError: The text is no JSON object of known modes, unix times and a known configuration.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise StateError(f"The state file is no JSON ({error}): run `python -m demo heal`.") from error
    if not isinstance(document, dict):
        raise StateError(f"The state file holds {document!r} instead of an object: run `python -m demo heal`.")
    configuration = document.pop("configuration", DEFAULT)
    if configuration not in POLICIES:
        raise StateError(f"The state file says 'configuration': {configuration!r}: run `python -m demo heal`.")
    for mode, until in document.items():
        if mode not in MODES or isinstance(until, bool) or not isinstance(until, int | float | None):
            raise StateError(f"The state file says {mode!r}: {until!r}: run `python -m demo heal`.")
    return State(document, configuration)


def read_state(path: Path) -> State:
    """Return what `path` says; a missing file is a healthy shop."""
    try:
        return parse_state(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return State()


def _write(path: Path, state: State) -> None:
    document: dict[str, Any] = dict(state.modes)
    if state.configuration != DEFAULT:
        document["configuration"] = state.configuration
    write_atomically(path, json.dumps(document))


def is_active(modes: Mapping[str, float | None], mode: str, now: float) -> bool:
    """Tell whether `mode` is in force at unix time `now`.

    >>> is_active({"errors": None}, "errors", 5.0), is_active({"errors": 5.0}, "errors", 5.0)
    (True, False)
    """
    if mode not in modes:
        return False
    until = modes[mode]
    return until is None or now < until


def break_mode(path: Path, mode: str, until: float | None, now: float) -> None:
    """Put `mode` in force until the unix time `until` (None: until healed), beside what is broken already.

    Raises:
        StateError: The mode is unknown.
    """
    if mode not in MODES:
        raise StateError(f"Unknown mode {mode!r}: choose one of {', '.join(MODES)}.")
    state = read_state(path)
    kept = {other: end for other, end in state.modes.items() if is_active(state.modes, other, now)}
    _write(path, replace(state, modes={**kept, mode: until}))


def heal(path: Path) -> None:
    """End every mode. The configuration stays, unless the file is damaged."""
    try:
        state = read_state(path)
    except StateError:
        state = State()
    _write(path, replace(state, modes={}))


def configure(path: Path, configuration: ConfigurationName) -> None:
    """Choose the configuration of the shop; what is broken stays broken."""
    _write(path, replace(read_state(path), configuration=configuration))


@dataclass(slots=True)
class StateWatcher:
    """A service's view of the state file, reread when the file changes."""

    path: Path
    _state: State = field(default_factory=State)
    _seen: tuple[int, int] | None = None

    def refresh(self) -> None:
        """Reread the file if it was replaced. A file that cannot be read changes nothing."""
        signature = self._signature()
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._state = read_state(self.path)
        except (StateError, OSError) as error:
            log.warning("The state file %s was ignored: %s", self.path, error)

    def active(self, mode: str, now: float) -> bool:
        return is_active(self._state.modes, mode, now)

    @property
    def policy(self) -> Policy:
        """The policy of the configuration that is chosen just now."""
        return POLICIES[self._state.configuration]

    async def follow(self) -> None:
        """Refresh twice a second until cancelled."""
        while True:
            self.refresh()
            await asyncio.sleep(POLL_S)

    def _signature(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino
