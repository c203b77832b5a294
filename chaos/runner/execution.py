"""One run from preflight to verdict."""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from api.client import ApiClient, ApiError
from api.models import Run, RunWindow
from chaos.errors import FaultDaemonError, RunRefusedError
from chaos.experiments.experiment import Experiment
from chaos.fault_client import FaultClient
from chaos.judge.verdict import run_verdict
from chaos.runner.measure import Measurement, Windows
from chaos.runner.preflight import Plan, check
from chaos.runner.recorder import Recorder
from chaos.runner.stop import Stop
from chaos.runner.summary import summarise
from chaos.wire import FaultState

SLICE_S = 0.2
HEARTBEAT_S = 10.0

Step = Literal["preflight", "baseline", "fault", "recovery", "counting", "finished", "refused", "aborted"]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Progress of a run, for whoever watches it."""

    step: Step
    message: str
    at: datetime


class _EndedEarlyError(Exception):
    """The run cannot go on; the message is why."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_run_id(experiment: Experiment, now: datetime) -> str:
    """Return `<name>-<utc time>-<4 hex>`."""
    return f"{experiment.name}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


@dataclass(slots=True)
class Execution:
    """The state of one run and the steps it goes through. See `chaos.runner.runner.run_experiment`."""

    experiment: Experiment
    api: ApiClient
    faults: FaultClient
    recorder: Recorder
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    on_event: Callable[[RunEvent], None]
    stop: Stop
    lateness_s: float
    _state: Run = field(init=False)

    def run(self) -> Run:
        self._state = _new_run(self.experiment, self.clock())
        try:
            return self._run()
        except RunRefusedError as refusal:
            return self._end("refused", f"Not run: {refusal}.", status="failed")
        except _EndedEarlyError as reason:
            return self._end("aborted", f"Aborted: {reason}.", status="aborted", verdict="inconclusive")
        except ApiError as error:
            summary = f"Inconclusive: the fault was reverted, but its effect could not be counted ({error})."
            return self._end("aborted", summary, status="aborted", verdict="inconclusive")

    def _run(self) -> Run:
        self._tell("preflight", "checking the daemon, the API and the traffic")
        plan = check(self.experiment, self.api, self.faults, now=self.clock())
        if not plan.baseline_is_past:
            self._tell("baseline", f"watching {self.experiment.baseline_s:g} s of traffic before anything is broken")
            self._pass_time(self.experiment.baseline_s + self.experiment.settle_s)
        fault_window, ended = self._break()
        recovery = self._recover()
        windows = Windows(_baseline(self.experiment, fault_window.started_at), fault_window, recovery)
        return self._conclude(plan, windows, ended)

    def _break(self) -> tuple[RunWindow, FaultState]:
        asked_at = self.clock()
        fault = self._inject()
        # The daemon's own moment is the exact one; a daemon whose clock is off is held to what was seen from here.
        started_at = min(max(fault.injected_at, asked_at), self.clock())
        try:
            self._tell("fault", f"{fault.kind} on {fault.target} for {self.experiment.duration_s:g} s")
            self._note(_baseline(self.experiment, started_at))
            self._pass_time(self.experiment.duration_s + self.experiment.settle_s, fault=fault)
        except BaseException:
            with contextlib.suppress(FaultDaemonError):  # the lease ends what cannot be reverted from here
                self.faults.revert(fault.id)
            raise
        settle = timedelta(seconds=self.experiment.settle_s)
        window = RunWindow(phase="fault", started_at=started_at, ended_at=self.clock() - settle)
        reverted = self._revert(fault)
        self._note(window)
        return window, reverted

    def _inject(self) -> FaultState:
        try:
            return self.faults.inject(self.experiment.fault_requests()[0])
        except FaultDaemonError as error:
            fate = "" if error.status else f"; had it been injected, its lease of {self.experiment.lease_s:g} s ends it"
            raise RunRefusedError(f"{error}{fate}") from error

    def _revert(self, fault: FaultState) -> FaultState:
        try:
            ended = self.faults.revert(fault.id)
        except FaultDaemonError as error:
            raise _EndedEarlyError(
                f"the revert was not confirmed ({error}); the lease of {self.experiment.lease_s:g} s ends the fault"
            ) from error
        if ended.ended_by != "request":
            raise _EndedEarlyError(f"the fault ended before its time, by {ended.ended_by}")
        return ended

    def _recover(self) -> RunWindow:
        started_at = self.clock()
        self._tell("recovery", f"reverted; watching {self.experiment.recovery_s:g} s of recovery")
        self._pass_time(self.experiment.recovery_s)
        window = RunWindow(phase="recovery", started_at=started_at, ended_at=self.clock())
        self._note(window)
        return window

    def _conclude(self, plan: Plan, windows: Windows, ended: FaultState) -> Run:
        self._tell("counting", "waiting for the last spans to be stored")
        measurement = Measurement(self.experiment, plan.victim, self.api, windows)
        complete = measurement.wait_for_spans(
            windows.recovery.ended_at, lateness_s=self.lateness_s, clock=self.clock, sleep=self._pass_time
        )
        findings, sighting = measurement.findings(), measurement.sighting(ended.kills)
        verdict = run_verdict(findings, sighting)
        remarks = _remarks(complete=complete, ended=ended)
        summary = summarise(verdict, findings, sighting, measurement.recoveries(), remarks)
        return self._end("finished", summary, status="finished", verdict=verdict, findings=findings)

    def _pass_time(self, seconds: float, *, fault: FaultState | None = None) -> None:
        """Wait while showing heartbeats and, if there is a *fault*, renewing its lease."""
        end = self.clock() + timedelta(seconds=seconds)
        alive_until = self.clock() + timedelta(seconds=self.experiment.lease_s)
        beat_s = min(self.experiment.lease_s / 3, HEARTBEAT_S)
        while (left := (end - self.clock()).total_seconds()) > 0:
            self._sleep(min(left, beat_s))
            if fault is not None:
                alive_until = self._renew(fault, alive_until)
            self._heartbeat()

    def _sleep(self, seconds: float) -> None:
        end = self.clock() + timedelta(seconds=seconds)
        while (left := (end - self.clock()).total_seconds()) > 0:
            if self.stop.requested:
                raise _EndedEarlyError(f"stopped by {self.stop.reason}")
            self.sleep(min(left, SLICE_S))

    def _renew(self, fault: FaultState, alive_until: datetime) -> datetime:
        asked_at = self.clock()
        try:
            self.faults.renew(fault.id, self.experiment.lease_ms)
        except FaultDaemonError as error:
            if error.status or self.clock() > alive_until:
                raise _EndedEarlyError(f"the fault ended before its time ({error})") from error
            return alive_until
        return asked_at + timedelta(seconds=self.experiment.lease_s)

    def _heartbeat(self) -> None:
        self._state = self._state.model_copy(update={"heartbeat_at": self.clock()})
        self.recorder.heartbeat(self._state)
        if self.recorder.api_lost:
            raise _EndedEarlyError("the API stopped answering, so nothing could be counted")

    def _note(self, window: RunWindow) -> None:
        self._state = self._state.model_copy(update={"windows": [*self._state.windows, window]})
        self._heartbeat()

    def _tell(self, step: Step, message: str) -> None:
        self.on_event(RunEvent(step, message, self.clock()))

    def _end(self, step: Step, summary: str, **update: Any) -> Run:
        now = self.clock()
        update |= {"summary": summary, "ended_at": now, "heartbeat_at": now}
        self._state = self._state.model_copy(update=update)
        saved = self.recorder.final(self._state)
        self._tell(
            step, summary if saved else f"{summary} (The API did not take the result; the local journal has it.)"
        )
        return self._state


def _new_run(experiment: Experiment, now: datetime) -> Run:
    return Run(
        id=new_run_id(experiment, now),
        experiment=experiment.name,
        title=experiment.title,
        status="running",
        verdict=None,
        started_at=now,
        ended_at=None,
        heartbeat_at=now,
        environment=experiment.environment or "",
        services=experiment.services,
        method=[{"kind": fault.kind, "target": fault.target, **fault.attributes} for fault in experiment.method],
    )


def _baseline(experiment: Experiment, injected_at: datetime) -> RunWindow:
    end = injected_at - timedelta(seconds=experiment.settle_s)
    return RunWindow(phase="baseline", started_at=end - timedelta(seconds=experiment.baseline_s), ended_at=end)


def _remarks(*, complete: bool, ended: FaultState) -> list[str]:
    remarks = []
    if not complete:
        remarks.append("Spans newer than the recovery window never came; late ones are not counted.")
    if not ended.verified:
        remarks.append(f"The revert of {ended.id} could not be verified: look at {ended.target}.")
    return remarks
