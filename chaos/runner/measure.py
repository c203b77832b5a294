"""A finished experiment counted: findings, the fault's traces, the recovery."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.models import EdgeCount, Finding, RunWindow
from chaos.experiments.experiment import Experiment
from chaos.experiments.fault_specs import FaultSpec, LatencyInjection
from chaos.experiments.hypotheses import Judged
from chaos.judge.bootstrap import p95_difference
from chaos.judge.sequential import LEAST_WATCHED
from chaos.judge.sighting import Injected, Sighting, Traces, all_seen, sight
from chaos.judge.verdict import decide, find
from chaos.runner.counting import Counting, Side
from chaos.runner.victims import Victim
from chaos.wire import FaultState

LATENESS_S = 8.0  # exporters send every 5 s, the collector seals and inserts within about 2 s
MOST_WAIT_S = 30.0
POLL_S = 0.5
AFTER_KILL_S = 1.0
SLICE_S = 2.0


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
    """Counts one experiment. Every method raises ApiError when the API refuses or does not answer."""

    experiment: Experiment
    victims: Sequence[Victim]
    counting: Counting
    windows: Windows

    @property
    def baseline(self) -> Side:
        return Side.of(self.windows.baseline)

    @property
    def fault(self) -> Side:
        """All requests of the fault's window, whatever their arm."""
        return Side.of(self.windows.fault)

    @property
    def control(self) -> Side:
        """What the fault did not touch: the control arm where requests were split, otherwise the baseline."""
        return self.baseline if self.counting.groups is None else Side.of(self.windows.fault, "control")

    @property
    def treatment(self) -> Side:
        return Side.of(self.windows.fault, None if self.counting.groups is None else "treatment")

    def findings(self, *, after_abort: bool = False) -> list[Finding]:
        """Return one finding a line of the hypothesis.

        Args:
            after_abort: a safeguard ended the fault; its test is exact for any number of requests beyond its own least.
        """
        least = LEAST_WATCHED if after_abort else self.experiment.min_samples
        return [self._finding(line, least) for line in self.experiment.judged]

    def arm_sizes(self) -> tuple[int, int]:
        """Return the entry requests of the control and of the treatment arm, of the first judged service."""
        if not self.experiment.judged:
            return 0, 0
        service = self.experiment.judged[0].service
        return self.counting.sli(service, self.control).total, self.counting.sli(service, self.treatment).total

    def newest_span_at(self, now: datetime) -> dict[str, datetime | None]:
        """Return each judged service's newest stored span."""
        side = Side(self.windows.fault.started_at, now)
        return {service: self.counting.sli(service, side).newest_span_at for service in self.experiment.services}

    def sighting(self, ended: Sequence[FaultState]) -> Sighting:
        """Look for every fault in its victim's spans; *ended* is how the daemon says that each went."""
        pairs = zip(self.experiment.method, self.victims, ended, strict=True)
        return all_seen([self._sight(fault, victim, state.kills) for fault, victim, state in pairs])

    def recoveries(self) -> list[Recovery]:
        """Compare the recovery window with the baseline, line by line."""
        return [self._recovery(line) for line in self.experiment.judged]

    def recovered_after_s(self) -> float | None:
        """Return the seconds from the revert until every line stayed within its margin; None if one did not.

        In steps of SLICE_S, so it is at most that much too long.
        """
        limits = [
            (line, (self.counting.arm(line, self.baseline).ratio or 0.0) + line.margin)
            for line in self.experiment.judged
        ]
        start, end = self.windows.recovery.started_at, self.windows.recovery.ended_at
        back_at, at = start, start
        while at < end:
            after = min(at + timedelta(seconds=SLICE_S), end)
            ratios = [(self.counting.arm(line, Side(at, after)).ratio, limit) for line, limit in limits]
            if any(ratio is not None and ratio > limit for ratio, limit in ratios):
                back_at = after
            at = after
        return None if back_at >= end else (back_at - start).total_seconds()

    def wait_for_spans(
        self, end: datetime, *, lateness_s: float, clock: Callable[[], datetime], sleep: Callable[[float], object]
    ) -> bool:
        """Wait until every service's spans up to *end* are stored, 30 s at most; returns whether they are."""
        sleep(max(0.0, lateness_s - (clock() - end).total_seconds()))
        while not self._has_spans_after(end, clock()):
            if (clock() - end).total_seconds() >= MOST_WAIT_S:
                return False
            sleep(POLL_S)
        return True

    def _finding(self, line: Judged, least: int) -> Finding:
        control, treatment = self.counting.arm(line, self.control), self.counting.arm(line, self.treatment)
        interval = None
        if line.sli == "latency":
            samples = [self.counting.latencies(line.service, side) for side in (self.control, self.treatment)]
            interval = p95_difference(samples[0].durations_ms, samples[1].durations_ms)
        return find(
            line,
            control,
            treatment,
            min_samples=least,
            comparison=self.counting.comparison,
            p95_difference=interval,
        )

    def _has_spans_after(self, end: datetime, now: datetime) -> bool:
        counts = (self.counting.sli(service, Side(end, now)) for service in self.experiment.services)
        return all(count.newest_span_at is not None and count.newest_span_at >= end for count in counts)

    def _recovery(self, line: Judged) -> Recovery:
        after = self.counting.arm(line, Side.of(self.windows.recovery))
        decision = decide(self.counting.arm(line, self.baseline), after, margin=line.margin, min_samples=1)
        recovered = {"held": True, "deviated": False}.get(decision.verdict)
        return Recovery(line.service, line.sli, after.bad, after.total, recovered)

    def _sight(self, fault: FaultSpec, victim: Victim, kills: int) -> Sighting:
        delay_ms = fault.latency_ms if isinstance(fault, LatencyInjection) else 0
        threshold_ms = self.counting.sli(victim.server, self.control).p95_ms
        start = self.treatment.start
        first = Side(start, start + timedelta(seconds=AFTER_KILL_S)) if fault.kind == "kill" else None
        return sight(
            Injected(fault.kind, float(delay_ms), kills),
            self._traces(victim, self.control, threshold_ms),
            self._traces(victim, self.treatment, threshold_ms, first),
        )

    def _traces(self, victim: Victim, side: Side, threshold_ms: float | None, just_after: Side | None = None) -> Traces:
        server = self.counting.sli(victim.server, side, threshold_ms=threshold_ms or None)
        return Traces(
            self._edge(victim, side),
            server,
            side.seconds,
            None if just_after is None else self.counting.sli(victim.server, just_after).total,
            AFTER_KILL_S,
        )

    def _edge(self, victim: Victim, side: Side) -> EdgeCount:
        if not victim.client:  # a process that no proxy names a caller of
            return EdgeCount(client="?", server=victim.server, calls=0, errors=0, p50_ms=None, p95_ms=None)
        return self.counting.edge(victim.client, victim.server, side)
