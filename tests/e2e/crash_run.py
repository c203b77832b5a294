"""One run of a crash test: a server under load, what is done to it, and the comparison at the end."""

import os
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from crash_ledger import SIGNALS, Aside, Ledger
from crash_load import Load
from crash_server import Apart, Embedded, kill, letters_of
from stack import wait_for

FIRST_LONG = 100
E2E = [pytest.param(seed, id=f"seed-{seed}") for seed in range(3)]
LONG = [pytest.param(seed, id=f"seed-{seed}", marks=pytest.mark.long) for seed in range(FIRST_LONG, FIRST_LONG + 30)]
seeds = pytest.mark.parametrize("seed", [*E2E, *LONG])
ENOUGH = 5
GOES_ON_S = 60.0
SHOWN = 8
DEFECT = "a request failed inside"


@dataclass
class Run:
    """A server, its load, and the chance that decides what happens to it when.

    Attributes:
        thorough: In the long form.
        spoiled: Which segments were damaged, and how: each has to be reported.
        torn: Which have a torn tail, and how: what was never acknowledged may be cut off silently.
    """

    server: Embedded | Apart
    load: Load
    chance: random.Random
    thorough: bool
    spoiled: dict[str, str] = field(default_factory=dict)
    torn: dict[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return self.load.ledger

    def pause(self, shortest_s: float, longest_s: float) -> None:
        time.sleep(self.chance.uniform(shortest_s, longest_s))

    def kill_and_restart(self) -> None:
        """Kill it with -9 now, and start at once on the same ports; sometimes kill again before it is ready."""
        kill(self.server)
        self.server.launch()
        if self.chance.random() < 0.3:
            self.pause(0.0, 2.0)
            kill(self.server)
            self.server.launch()
        self.server.await_ready()

    def await_answers(self, kind: str, names: Iterable[str] = SIGNALS, more: int = ENOUGH) -> None:
        """Wait until each of *names* (signals or transports) had some more answers of *kind*."""
        names, before = list(names), self.ledger.answers(kind)

        def enough() -> bool:
            now = self.ledger.answers(kind)
            return all(now.get(name, 0) >= before.get(name, 0) + more for name in names)

        def text() -> str:
            return f"{names} to be {kind}; {self.ledger.counts}; {self.ledger.faults[:3]}"

        wait_for(enough, GOES_ON_S, text(), pause_s=0.05)


@contextmanager
def started(server: Embedded | Apart, seed: int, **load: Any) -> Iterator[Run]:
    """Start *server*, load it while the block runs, and compare what was answered with what is stored.

    An error names the data folder, and how to repeat it.
    """
    chance = random.Random(seed)
    name = f"crash-{seed}-{chance.getrandbits(32):x}-{server.folder.name}"
    try:
        server.launch()
        server.await_ready()
        target = f"127.0.0.1:{server.ports['otlp-grpc']}"
        with Load(server.url("otlp-http"), target, name, chance, **load) as sending:
            run = Run(server, sending, chance, thorough=seed >= FIRST_LONG)
            yield run
        _compare(run)
    except BaseException as error:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        error.add_note(f"seed {seed}; data folder {server.data}; repeat: .venv/bin/pytest -p no:randomly '{test}'")
        raise
    finally:
        kill(server)


def _compare(run: Run) -> None:
    """Fail unless everything acknowledged is stored exactly once, or listed as damaged where there was damage."""
    server = run.server
    server.await_written()
    letters = letters_of(server)
    rows, rolled_up = server.finish(run.load.run)
    problems = run.ledger.problems(rows, letters)
    problems += [f"a defect: {line}" for line in server.log.splitlines() if DEFECT in line]
    harmed = run.spoiled | run.torn
    for letter in letters:
        if not letter.reason.startswith("damaged on disk") or not any(segment in letter.file for segment in harmed):
            problems.append(f"a dead letter: {letter.file}: {letter.reason}")
    problems += [f"not reported: {name}: {what}" for name, what in run.spoiled.items() if not _told(run, name, letters)]
    spans = sum(count for count, _ in rows["traces"].values())
    if spans != rolled_up:
        problems.append(f"{spans} spans are stored, {rolled_up} are rolled up")
    shown = "\n".join(problems[:SHOWN])
    assert not problems, f"{len(problems)} problems:\n{shown}\nanswers {run.ledger.counts}\nharmed {harmed}"


def _told(run: Run, segment: str, letters: Iterable[Aside]) -> bool:
    in_log = any(segment in line and "damaged" in line for line in run.server.log.splitlines())
    return in_log or any(segment in letter.file for letter in letters)
