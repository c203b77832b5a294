"""One run of a Chaos Toolkit experiment: its own library runs the activities, we count and judge beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from api.client import ApiClient, ApiError
from api.models import Finding, Run, RunWindow, Verdict
from chaos.errors import ExperimentError, RunRefusedError
from chaos.experiments.experiment import Experiment
from chaos.fault_client import FaultClient
from chaos.judge.multiplicity import settle
from chaos.runner.counting import Counting
from chaos.runner.ending import EndedEarlyError
from chaos.runner.execution import BEAT_S, SLICE_S
from chaos.runner.measure import Measurement, Windows
from chaos.runner.preflight import Inspection, Plan
from chaos.runner.stop import Stop
from chaos.runner.timeline import Timeline
from chaos.toolkit.engine import EngineEvent, run_document
from chaos.toolkit.journal import Journal
from chaos.toolkit.journal_import import JournalError, run_of

_RECORDED = ("method", "hypothesis", "windows", "document", "journal", "summary", "verdict", "status")


@dataclass(slots=True)
class ToolkitExecution:
    """The steps of one run. See `chaos.runner.runner.run_experiment`.

    The journal's own verdict stands, unless the experiment's extension holds lines that the requests decide: then it is
    held only if both say so.
    """

    experiment: Experiment
    api: ApiClient
    daemon: FaultClient
    timeline: Timeline
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    stop: Stop
    lateness_s: float
    folder: Path
    _plan: Plan = field(init=False)
    _beat_at: datetime | None = None
    _asked: str = ""

    def run(self) -> Run:
        """Go through all steps and return the run as it ended."""
        try:
            journal = self._run()
        except (RunRefusedError, ExperimentError) as refusal:
            return self.timeline.end("refused", f"Not run: {refusal}.", status="failed")
        try:
            fields = self._recorded(journal)
        except JournalError as error:
            return self.timeline.end("finished", f"Inconclusive: {error}.", status="finished", verdict="inconclusive")
        try:
            fields |= self._judged(fields)
        except ApiError as error:
            verdict = "inconclusive" if fields["verdict"] == "held" else fields["verdict"]
            fields |= {"verdict": verdict, "summary": f"{fields['summary']} Nothing could be counted ({error})."}
        return self.timeline.end("finished", fields.pop("summary"), **fields)

    def _run(self) -> Journal:
        self.timeline.tell("preflight", "checking the API and the traffic")
        inspection = Inspection(self.experiment, self.api, self.daemon, self.timeline.run.id, self.clock())
        self._plan = inspection.plan()
        self.timeline.planned(self._plan)
        self._plan.require()
        document = self._plan.experiment.toolkit
        assert document is not None
        self.timeline.tell("fault", "the Chaos Toolkit runs the activities")
        return run_document(
            document,
            folder=self.folder,
            on_event=lambda event: self.timeline.tell("activity", told(event)),
            stop=self._why_to_stop,
        )

    def _why_to_stop(self) -> str:
        """Show that the runner lives, every other second; return who wants the run to end, and why."""
        self._beat()
        return self.stop.reason or self._asked

    def _beat(self) -> None:
        now = self.clock()
        if self._beat_at is None or now - self._beat_at >= timedelta(seconds=BEAT_S):
            self._beat_at = now
            try:
                self._asked = self.timeline.beat() or self._asked
            except EndedEarlyError as error:
                self._asked = str(error)

    def _wait(self, seconds: float) -> None:
        """Wait while showing that the runner lives; nothing is broken any more, so no wish to stop is heeded."""
        end = self.clock() + timedelta(seconds=seconds)
        while (left := (end - self.clock()).total_seconds()) > 0:
            self._beat()
            self.sleep(min(left, SLICE_S))

    def _recorded(self, journal: Journal) -> dict[str, Any]:
        found = run_of(journal, run_id=self.timeline.run.id, source="chaostoolkit")
        return {name: getattr(found, name) for name in _RECORDED}

    def _judged(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return what the requests say, where the experiment claims something of them and its phases are known."""
        windows: dict[str, RunWindow] = {window.phase: window for window in fields["windows"]}
        experiment = self._plan.experiment
        if not experiment.judged or not {"baseline", "fault", "recovery"} <= windows.keys():
            return {}
        counting = Counting(self.api, experiment.environment)
        measured = Measurement(
            experiment, (), counting, Windows(windows["baseline"], windows["fault"], windows["recovery"])
        )
        measured.wait_for_spans(
            windows["fault"].ended_at, lateness_s=self.lateness_s, clock=self.clock, sleep=self._wait
        )
        findings = settle(measured.findings())
        return {"findings": findings, "verdict": both(fields["verdict"], findings)}


def told(event: EngineEvent) -> str:
    """Return an event of the engine in words.

    >>> now = datetime(2026, 1, 1)
    >>> told(EngineEvent("start_method", "", now)), told(EngineEvent("start_activity", "stop cache", now))
    ('start method', 'start activity: stop cache')
    """
    name = event.name.replace("_", " ")
    return f"{name}: {event.message}" if event.message else name


def both(journal: Verdict, findings: list[Finding]) -> Verdict:
    """Return the verdict of a journal and of the requests together.

    >>> both("held", []), both("aborted", [])
    ('held', 'aborted')
    """
    verdicts = {finding.verdict for finding in findings}
    if journal in {"aborted", "not_injected", "deviated"} or not findings:
        return journal
    if "deviated" in verdicts:
        return "deviated"
    return "held" if journal == "held" and verdicts == {"held"} else "inconclusive"
