"""What the routes work with, made once by the composition root."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from alerts.signing import LinkSigner
from api.kept import Kept
from api.models import DeadLetter, Experiment, IngestStatus, Preflight, Run, SloExplanation, TelemetryChecks
from api.start_gate import StartGate
from storage.client import Database
from storage.double_entry import DoubleEntries
from storage.ingest_stats import StageReport
from storage.slo_catalog import SloCatalog
from storage.tokens import Tokens

KEPT_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TickStatus:
    """How the evaluator's last tick went; `at` None: not yet, or it runs in another process."""

    at: datetime | None = None
    error: str = ""


class LaunchError(Exception):
    """An experiment could not be checked or started; the message is the reason and the remedy."""


class Launcher(Protocol):
    """Starts experiments: in a process that can reach the fault daemon. Called by several threads."""

    def experiments(self) -> Sequence[Experiment]:
        """Return every experiment file, those that cannot be read with their problem."""

    def preflight(self, name: str) -> Preflight:
        """Return what a run would do, changing nothing (raises LaunchError)."""

    def start(self, name: str, by: str) -> str:
        """Start a run, asked for by the token *by* ("": none needed), and return its id (raises LaunchError).

        The run reports to the API under this id within 30 s; until then no other is started.
        """


@dataclass(frozen=True, slots=True)
class Context:
    """The server side of the API.

    `ingest`, `reports`, `dead_letters`, `slo_problems` and `tick` report on roles of the same process; a process
    without them reports nothing of them. `channels` returns the names of the alert channels by receiver,
    `alerting_problems` what is wrong with their file and its rules. `public_url` is where people reach what the API
    serves itself, "" where that is not known. `tokens` None lets everybody in. `links` signs links to pages of alerts
    and checks them, None opens none. `checks`, `explanations`, `exhaustions`, `entries` keep costly answers a minute.
    `launcher` None: no experiment can be started from here; `starts` lets them through one at a time. `read_journal`
    returns the run of a Chaos Toolkit journal or raises ValueError with the reason, None reads none.
    """

    database: Database
    catalog: SloCatalog
    registry: CollectorRegistry
    version: str
    addresses: Mapping[str, str]
    ingest: Callable[[], list[IngestStatus]] = list
    tick: Callable[[], TickStatus] = TickStatus
    tokens: Tokens | None = None
    reports: Callable[[], list[StageReport]] = list
    dead_letters: Callable[[], list[DeadLetter]] = list
    slo_problems: Callable[[], Mapping[str, list[str]]] = dict
    channels: Callable[[], Mapping[str, Sequence[str]]] = dict
    alerting_problems: Callable[[], Sequence[str]] = tuple
    public_url: str = ""
    checks: Kept[TelemetryChecks] = field(default_factory=lambda: Kept(KEPT_FOR))
    explanations: Kept[SloExplanation] = field(default_factory=lambda: Kept(KEPT_FOR))
    exhaustions: Kept[datetime | None] = field(default_factory=lambda: Kept(KEPT_FOR))
    links: LinkSigner | None = None
    entries: Kept[DoubleEntries] = field(default_factory=lambda: Kept(KEPT_FOR))
    launcher: Launcher | None = None
    read_journal: Callable[[bytes], Run] | None = None
    starts: StartGate = field(default_factory=StartGate)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def _of(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(_of)]
