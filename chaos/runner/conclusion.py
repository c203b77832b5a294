"""From a finished fault to a verdict that can be defended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.models import ExpectedAlert, Finding, Verdict
from chaos.judge.multiplicity import settle
from chaos.judge.sighting import Sighting
from chaos.judge.validity import ControlLine, Validity, validate
from chaos.judge.verdict import run_verdict
from chaos.judge.watch import AbortCause
from chaos.runner.alarms import expected_alerts
from chaos.runner.guard import Trip
from chaos.runner.measure import Measurement
from chaos.runner.outcome import collect
from chaos.runner.preflight import Plan
from chaos.runner.summary import summarise
from chaos.wire import FaultState

_CAUSES: dict[str, AbortCause] = {"harm": "harm", "incident": "incident", "blind": "stopped"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run left behind. `complete`: all spans up to the end of the recovery are stored."""

    plan: Plan
    measurement: Measurement
    ended: Sequence[FaultState]
    trip: Trip | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Judges one run. Raises ApiError where the API refuses or does not answer."""

    facts: Facts
    clock: Callable[[], datetime]
    wait: Callable[[float], object]

    def draw(self) -> dict[str, Any]:
        """Return the fields of the run that its end decides."""
        facts, measured = self.facts, self.facts.measurement
        findings = settle(measured.findings(after_abort=facts.trip is not None))
        sighting = measured.sighting(facts.ended)
        validity = self._validity(sighting)
        alarms = expected_alerts(measured, facts.plan.preflight.affected, clock=self.clock, wait=self.wait)
        verdict = self._verdict(findings, sighting, validity, alarms)
        return {
            "verdict": verdict,
            "status": "aborted" if facts.trip is not None and facts.trip.cause != "harm" else "finished",
            "findings": findings,
            "validity": [each.check for each in validity],
            "outcome": collect(facts.plan, measured, alarms),
            "summary": summarise(
                verdict,
                findings,
                sighting,
                measured.recoveries(),
                self._remarks(alarms),
                comparison=measured.counting.comparison,
            ),
        }

    def _verdict(
        self,
        findings: Sequence[Finding],
        sighting: Sighting,
        validity: Sequence[Validity],
        alarms: Sequence[ExpectedAlert],
    ) -> Verdict:
        trip = self.facts.trip
        verdict = run_verdict(
            findings, sighting, validity=validity, aborted=None if trip is None else _CAUSES[trip.cause]
        )
        missed = any(alarm.expected and not alarm.fired for alarm in alarms)
        if missed and (verdict == "held" or (not findings and verdict == "inconclusive")):
            return "deviated"
        if not findings and alarms and verdict == "inconclusive" and sighting.seen:
            return "held"  # every line was an alert that should come, and each came
        return verdict

    def _validity(self, sighting: Sighting) -> list[Validity]:
        measured = self.facts.measurement
        concurrent = measured.counting.comparison == "concurrent"
        return validate(
            sighting,
            measured.newest_span_at(self.clock()),
            until=measured.windows.fault.ended_at,
            comparison=measured.counting.comparison,
            arm_sizes=measured.arm_sizes() if concurrent else (0, 0),
            control_lines=self._control_lines() if concurrent else (),
        )

    def _control_lines(self) -> list[ControlLine]:
        measured = self.facts.measurement
        arm, before, control = measured.counting.arm, measured.baseline, measured.control
        return [
            ControlLine(str(line), line.margin, arm(line, before), arm(line, control))
            for line in measured.experiment.judged
        ]

    def _remarks(self, alarms: Sequence[ExpectedAlert]) -> list[str]:
        remarks = [] if self.facts.trip is None else [f"Ended early: {self.facts.trip.reason}."]
        remarks += [_alarm(alarm) for alarm in alarms]
        if not self.facts.complete:
            remarks.append("Spans newer than the recovery window never came; late ones are not counted.")
        if any(state.verified is False for state in self.facts.ended):
            remarks.append("The daemon has not yet seen the target mended; it goes on trying.")
        return remarks


def _alarm(alarm: ExpectedAlert) -> str:
    if not alarm.fired:
        return f"The alert {alarm.alert} was expected and did not fire."
    when = "" if alarm.after_s is None else f" after {alarm.after_s:.0f} s"
    return f"The alert {alarm.alert} fired{when}, {'as expected' if alarm.expected else 'which was not expected'}."
