"""Windows counted from stored spans, through the API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.client import ApiClient
from api.models import EdgeCount, Finding, RunWindow
from chaos.experiments.experiment import Experiment
from chaos.experiments.fault_specs import LatencyInjection, NetworkPartition
from chaos.experiments.hypotheses import Judged
from chaos.judge.sighting import Delay, Sighting, Traffic, down_sighting, kill_sighting, latency_sighting
from chaos.judge.verdict import Arm, decide, find
from chaos.runner.preflight import Victim

LATENESS_S = 8.0  # exporters send every 5 s, the collector seals and inserts within about 2 s
MOST_WAIT_S = 30.0
POLL_S = 0.5
AFTER_KILL_S = 1.0


@dataclass(frozen=True, slots=True)
class Windows:
    """The three phases, half-open: a request belongs to the window in which it started."""

    baseline: RunWindow
    fault: RunWindow
    recovery: RunWindow


@dataclass(frozen=True, slots=True)
class Recovery:
    """Whether one line of the hypothesis is back within its margin after the revert; None when nobody can tell."""

    service: str
    sli: str
    bad: int
    total: int
    recovered: bool | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """Counts one finished experiment."""

    experiment: Experiment
    victim: Victim
    api: ApiClient
    windows: Windows

    def findings(self) -> list[Finding]:
        """Return one finding a line of the hypothesis (raises ApiError)."""
        least = self.experiment.min_samples
        return [
            find(line, self._arm(line, self.windows.baseline), self._arm(line, self.windows.fault), min_samples=least)
            for line in self.experiment.judged
        ]

    def recoveries(self) -> list[Recovery]:
        """Compare the recovery window with the baseline, line by line (raises ApiError)."""
        return [self._recovery(line) for line in self.experiment.judged]

    def sighting(self, kills: int) -> Sighting:
        """Look for the fault in the victim's spans (raises ApiError). *kills* is what the daemon counted."""
        fault = self.experiment.method[0]
        if isinstance(fault, LatencyInjection):
            return latency_sighting(self._delays(), injected_ms=fault.latency_ms)
        edges = self._edge(self.windows.baseline), self._edge(self.windows.fault)
        before = self._server(self.windows.baseline)
        if isinstance(fault, NetworkPartition):
            return down_sighting(*edges, before, self._server(self.windows.fault))
        start = self.windows.fault.started_at
        after_kill = RunWindow(phase="fault", started_at=start, ended_at=start + timedelta(seconds=AFTER_KILL_S))
        return kill_sighting(kills, *edges, before, self._server(after_kill))

    def wait_for_spans(
        self, end: datetime, *, lateness_s: float, clock: Callable[[], datetime], sleep: Callable[[float], None]
    ) -> bool:
        """Wait until every service's spans up to *end* are stored, 30 s at most; returns whether they are.

        Raises:
            ApiError: the API refused or did not answer.
        """
        sleep(max(0.0, lateness_s - (clock() - end).total_seconds()))
        while not self._has_spans_after(end, clock()):
            if (clock() - end).total_seconds() >= MOST_WAIT_S:
                return False
            sleep(POLL_S)
        return True

    def _has_spans_after(self, end: datetime, now: datetime) -> bool:
        environment = self.experiment.environment
        counts = (
            self.api.sli(service, start=end, end=now, environment=environment) for service in self.experiment.services
        )
        return all(count.newest_span_at is not None and count.newest_span_at >= end for count in counts)

    def _arm(self, line: Judged, window: RunWindow) -> Arm:
        count = self.api.sli(
            line.service,
            start=window.started_at,
            end=window.ended_at,
            environment=self.experiment.environment,
            threshold_ms=line.threshold_ms,
        )
        return Arm(count.errors if line.sli == "availability" else count.slow, count.total, count.p95_ms)

    def _recovery(self, line: Judged) -> Recovery:
        baseline, recovery = self._arm(line, self.windows.baseline), self._arm(line, self.windows.recovery)
        decision = decide(baseline, recovery, margin=line.margin, min_samples=1)
        recovered = {"held": True, "deviated": False}.get(decision.verdict)
        return Recovery(line.service, line.sli, recovery.bad, recovery.total, recovered)

    def _delays(self) -> list[Delay]:
        before, under = self._edge(self.windows.baseline), self._edge(self.windows.fault)
        callers = [self._caller_p95(window) for window in (self.windows.baseline, self.windows.fault)]
        return [
            Delay(f"{self.victim.client} → {self.victim.server} p50", before.p50_ms, under.p50_ms),
            Delay(f"{self.victim.client} p95", *callers),
        ]

    def _caller_p95(self, window: RunWindow) -> float | None:
        return self.api.sli(
            self.victim.client,
            start=window.started_at,
            end=window.ended_at,
            environment=self.experiment.environment,
        ).p95_ms

    def _edge(self, window: RunWindow) -> EdgeCount:
        if not self.victim.client:  # a killed process that no proxy names a caller of
            return EdgeCount(client="?", server=self.victim.server, calls=0, errors=0, p50_ms=None, p95_ms=None)
        return self.api.edge(self.victim.client, self.victim.server, start=window.started_at, end=window.ended_at)

    def _server(self, window: RunWindow) -> Traffic:
        count = self.api.sli(
            self.victim.server,
            start=window.started_at,
            end=window.ended_at,
            environment=self.experiment.environment,
        )
        return Traffic(count.total, (window.ended_at - window.started_at).total_seconds())
