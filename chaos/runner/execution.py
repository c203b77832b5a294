"""One run from preflight to verdict."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.client import ApiClient, ApiError
from api.models import Run, RunWindow
from chaos.errors import RunRefusedError
from chaos.experiments.experiment import Experiment
from chaos.fault_client import FaultClient
from chaos.runner.conclusion import Conclusion, Facts
from chaos.runner.counting import Counting
from chaos.runner.ending import EndedEarlyError
from chaos.runner.guard import Guard, Trip
from chaos.runner.injection import Injection
from chaos.runner.measure import Measurement, Windows
from chaos.runner.preflight import Inspection, Plan
from chaos.runner.stop import Stop
from chaos.runner.timeline import Timeline
from chaos.wire import FaultState

SLICE_S = 0.2
BEAT_S = 2.0


@dataclass(slots=True)
class Execution:
    """The steps of one run. See `chaos.runner.runner.run_experiment`."""

    experiment: Experiment
    api: ApiClient
    daemon: FaultClient
    timeline: Timeline
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    stop: Stop
    lateness_s: float
    _plan: Plan = field(init=False)

    def run(self) -> Run:
        """Go through all steps and return the run as it ended; nothing stays broken, whatever happens here."""
        try:
            return self._run()
        except RunRefusedError as refusal:
            return self.timeline.end("refused", f"Not run: {refusal}.", status="failed")
        except EndedEarlyError as early:
            summary = f"{'Inconclusive' if early.verdict == 'inconclusive' else 'Aborted'}: {early}."
            return self.timeline.end("aborted", summary, status="aborted", verdict=early.verdict)
        except ApiError as error:
            summary = f"Aborted: the fault was reverted, but its effect could not be counted ({error})."
            return self.timeline.end("aborted", summary, status="aborted", verdict="aborted")

    def _run(self) -> Run:
        self.timeline.tell("preflight", "checking the daemon, the API and the traffic")
        inspection = Inspection(self.experiment, self.api, self.daemon, self.timeline.run.id, self.clock())
        self._plan = inspection.plan()
        self.timeline.planned(self._plan)
        self._plan.require()
        self.experiment = self._plan.experiment
        baseline = self._plan.baseline or self._watch_baseline()
        fault, ended, trip = self._break(baseline)
        recovery = self._recover()
        return self._conclude(Windows(baseline, fault, recovery), ended, trip)

    def _watch_baseline(self) -> RunWindow:
        seconds = self.experiment.baseline_s
        self.timeline.tell("baseline", f"watching {seconds:g} s of traffic before anything is broken")
        started_at = self.clock()
        self._pass_time(seconds + self.experiment.settle_s)
        return RunWindow(phase="baseline", started_at=started_at, ended_at=started_at + timedelta(seconds=seconds))

    def _break(self, baseline: RunWindow) -> tuple[RunWindow, list[FaultState], Trip | None]:
        """Inject, hold and revert; return the fault's window, how each fault ended, and what tripped a safeguard."""
        requests = self.experiment.fault_requests(self.timeline.run.id)
        injection = Injection(self.daemon, requests, self.experiment.lease_s, self.clock)
        started_at = injection.start()
        try:
            what = "; ".join(f"{request.kind} on {request.target}" for request in requests)
            self.timeline.tell("fault", f"{what} for {self.experiment.duration_s:g} s")
            self.timeline.note(baseline)
            guard = self._guard(baseline, started_at)
            trip = self._pass_time(self.experiment.duration_s + self.experiment.settle_s, injection, guard)
        except BaseException:
            injection.abandon()
            raise
        settle = timedelta(seconds=self.experiment.settle_s)
        window = RunWindow(phase="fault", started_at=started_at, ended_at=max(started_at, self.clock() - settle))
        ended = injection.end()
        if trip is not None:
            self.timeline.tell("safeguard", trip.reason)
        self.timeline.note(window)
        return window, ended, trip

    def _guard(self, baseline: RunWindow, started_at: datetime) -> Guard | None:
        if not self.experiment.safeguards.abort:
            return None
        return Guard(self.experiment, self._counting(), baseline, started_at)

    def _recover(self) -> RunWindow:
        started_at = self.clock()
        self.timeline.tell("recovery", f"reverted; watching {self.experiment.recovery_s:g} s of recovery")
        self._pass_time(self.experiment.recovery_s)
        window = RunWindow(phase="recovery", started_at=started_at, ended_at=self.clock())
        self.timeline.note(window)
        return window

    def _conclude(self, windows: Windows, ended: list[FaultState], trip: Trip | None) -> Run:
        self.timeline.tell("counting", "waiting for the last spans to be stored")
        measurement = Measurement(self.experiment, self._plan.victims, self._counting(), windows)
        complete = measurement.wait_for_spans(
            windows.recovery.ended_at, lateness_s=self.lateness_s, clock=self.clock, sleep=self._pass_time
        )
        facts = Facts(self._plan, measurement, ended, trip, complete=complete)
        found = Conclusion(facts, self.clock, self._pass_time).draw()
        return self.timeline.end("finished", found.pop("summary"), **found)

    def _counting(self) -> Counting:
        return Counting(self.api, self.experiment.environment, self._plan.groups)

    def _pass_time(self, seconds: float, injection: Injection | None = None, guard: Guard | None = None) -> Trip | None:
        """Wait while showing heartbeats, renewing what was injected and asking *guard*; return what tripped it."""
        end = self.clock() + timedelta(seconds=seconds)
        beat_s = min(self.experiment.lease_s / 3, BEAT_S)
        while (left := (end - self.clock()).total_seconds()) > 0:
            self._sleep(min(left, beat_s))
            if injection is not None:
                injection.renew()
            self._heed(self.timeline.beat())
            trip = guard.look(self.clock()) if guard is not None else None
            if trip is not None:
                return trip
        return None

    def _sleep(self, seconds: float) -> None:
        end = self.clock() + timedelta(seconds=seconds)
        while (left := (end - self.clock()).total_seconds()) > 0:
            self._heed(self.stop.reason)
            self.sleep(min(left, SLICE_S))

    def _heed(self, asked: str) -> None:
        if asked:
            raise EndedEarlyError(f"stopped by {asked}")
