"""A fleet of servers under load, what is done to each of them, and the comparison at the end.

Several seeds run at the same time: most of a crash test is waiting, for a process to start or a database to come back.
"""

import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from crash_ledger import SIGNALS, Aside, Ledger
from crash_load import Load
from crash_server import Apart, Embedded, kill, letters_of
from stack import wait_for

FIRST_LONG = 100
LONG = 30
AT_ONCE = 5
ENOUGH = 5
GOES_ON_S = 180.0
KILLED_AGAIN = 0.3
SHOWN = 8
DEFECT = "a request failed inside"


def fleets(at_once: int = AT_ONCE) -> pytest.MarkDecorator:
    """Give a test the seeds of one fleet: three in the end-to-end form, and in the long form thirty, *at_once* each."""
    long = [range(first, first + at_once) for first in range(FIRST_LONG, FIRST_LONG + LONG, at_once)]
    params = [pytest.param(range(3), id=_name(range(3)))]
    params += [pytest.param(seeds, id=_name(seeds), marks=pytest.mark.long) for seeds in long]
    return pytest.mark.parametrize("seeds", params)


def is_long(seeds: Sequence[int]) -> bool:
    return seeds[0] >= FIRST_LONG


@dataclass
class Run:
    """A server, its load, and the chance that decides what happens to it when.

    Attributes:
        spoiled: Which segments were damaged, and how: each has to be reported.
        torn: Which have a torn tail, and how: what was never acknowledged may be cut off silently.
    """

    seed: int
    server: Embedded | Apart
    load: Load
    chance: random.Random
    spoiled: dict[str, str] = field(default_factory=dict)
    torn: dict[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return self.load.ledger

    def pause(self, shortest_s: float, longest_s: float) -> None:
        time.sleep(self.chance.uniform(shortest_s, longest_s))

    def start(self) -> None:
        self.server.launch()
        self.server.await_ready()

    def kill_and_restart(self) -> None:
        """Kill it with -9 now, and start at once on the same ports; sometimes kill again before it is ready."""
        kill(self.server)
        self.server.launch()
        if self.chance.random() < KILLED_AGAIN:
            self.pause(0.0, 2.0)
            kill(self.server)
            self.server.launch()
        self.server.await_ready()

    def await_answers(self, kind: str, names: Iterable[str] = SIGNALS) -> None:
        """Wait until each of *names* (signals or transports) had some more answers of *kind*."""
        wanted = {name: self.ledger.answers(kind).get(name, 0) + ENOUGH for name in names}

        def enough() -> bool:
            assert not self.ledger.faults, self.ledger.faults[:SHOWN]
            now = self.ledger.answers(kind)
            return all(now.get(name, 0) >= count for name, count in wanted.items())

        wait_for(enough, GOES_ON_S, f"so many answers {kind!r}: {wanted}", pause_s=0.05)


@contextmanager
def started(servers: Mapping[int, Embedded | Apart], **load: Any) -> Iterator[list[Run]]:
    """Start *servers*, each with the seed that is its key, and load them while the block runs; then compare.

    An error names the seed, its data folder, and how to repeat it.
    """
    runs = [_run(seed, server, load) for seed, server in servers.items()]
    with ExitStack() as ending:
        for run in runs:
            ending.callback(kill, run.server)
        each(runs, Run.start)
        with ExitStack() as loading:
            for run in runs:
                loading.enter_context(run.load)
            yield runs
        each(runs, _compare)


def each(runs: Sequence[Run], do: Callable[[Run], object]) -> None:
    """Do something to all *runs* at the same time."""
    with ThreadPoolExecutor(len(runs)) as pool:
        doing = [pool.submit(do, run) for run in runs]
    errors = [
        _named(error, run)
        for error, run in ((one.exception(), run) for one, run in zip(doing, runs, strict=True))
        if error
    ]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BaseExceptionGroup(f"{len(errors)} seeds failed", errors)


def _named(error: BaseException, run: Run) -> BaseException:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
    error.add_note(f"seed {run.seed}; its data folder: {run.server.data}")
    error.add_note(f"repeat: .venv/bin/pytest -p no:randomly '{test}'")
    return error


def _run(seed: int, server: Embedded | Apart, load: Mapping[str, Any]) -> Run:
    chance = random.Random(seed)
    target = f"127.0.0.1:{server.ports['otlp-grpc']}"
    name = f"crash-{seed}-{server.ports['otlp-grpc']}-{time.time_ns()}"
    return Run(seed, server, Load(server.url("otlp-http"), target, name, chance, **load), chance)


def _compare(run: Run) -> None:
    """Fail unless everything acknowledged is stored exactly once, or listed as damaged where there was damage."""
    server = run.server
    server.await_written()
    letters = letters_of(server)
    rows, rolled_up = server.finish(run.load.run)
    problems = run.ledger.problems(rows, letters)
    problems += [f"a defect: {line}" for line in server.log.splitlines() if DEFECT in line]
    problems += _unreported(run, letters)
    spans = sum(count for count, _ in rows["traces"].values())
    if spans != rolled_up:
        problems.append(f"{spans} spans are stored, {rolled_up} are rolled up")
    shown = "\n".join(problems[:SHOWN])
    assert not problems, f"{len(problems)} problems:\n{shown}\n{run.ledger.counts}\n{run.spoiled | run.torn}"


def _unreported(run: Run, letters: Sequence[Aside]) -> Iterator[str]:
    """Yield dead letters that damage does not explain, and damage of which nobody was told."""
    harmed = run.spoiled | run.torn
    for letter in letters:
        if not letter.reason.startswith("damaged on disk") or not any(segment in letter.file for segment in harmed):
            yield f"a dead letter: {letter.file}: {letter.reason}"
    told = [line for line in run.server.log.splitlines() if "damaged" in line]
    for segment, what in run.spoiled.items():
        if not any(segment in line for line in told) and not any(segment in letter.file for letter in letters):
            yield f"not reported: {segment}: {what}"


def _name(seeds: Iterable[int]) -> str:
    return "+".join(f"seed-{seed}" for seed in seeds)
