"""The state of a run as it is told to everybody: to the journal, to the API and to whoever watches."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.models import Run, RunEvent, RunWindow
from chaos.experiments.experiment import Experiment
from chaos.runner.ending import EndedEarlyError
from chaos.runner.preflight import Plan, described
from chaos.runner.recorder import Recorder


def new_run_id(experiment: str, now: datetime) -> str:
    """Return `<name>-<utc time>-<4 hex>`."""
    return f"{experiment}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def new_run(experiment: Experiment, run_id: str, now: datetime) -> Run:
    return Run(
        id=run_id,
        experiment=experiment.name,
        title=experiment.title,
        status="running",
        verdict=None,
        started_at=now,
        ended_at=None,
        heartbeat_at=now,
        environment=experiment.environment or "",
        services=experiment.services,
        method=described(experiment),
        comparison="before/after" if experiment.groups is None else "concurrent",
        source="ninelives" if experiment.toolkit is None else "chaostoolkit",
        hypothesis=[str(line) for line in experiment.hypothesis],
        planned_s={
            "baseline": experiment.baseline_s,
            "fault": experiment.duration_s,
            "recovery": experiment.recovery_s,
        },
        document=experiment.model_dump(mode="json", exclude_defaults=True),
    )


@dataclass(slots=True)
class Timeline:
    """Keeps one run and its events, and records every change."""

    run: Run
    recorder: Recorder
    clock: Callable[[], datetime]
    on_event: Callable[[RunEvent], None]

    def tell(self, step: str, message: str) -> None:
        """Note an event and pass it on."""
        event = RunEvent(at=self.clock(), step=step, message=message)
        self.run = self.run.model_copy(update={"events": [*self.run.events, event]})
        self.on_event(event)

    def planned(self, plan: Plan) -> None:
        """Note what the pre-flight found, before it is decided whether to go on."""
        experiment = plan.experiment
        self.run = self.run.model_copy(
            update={
                "preflight": plan.preflight,
                "groups": plan.groups,
                "services": experiment.services,
                "hypothesis": [str(line) for line in experiment.hypothesis],
            }
        )

    def note(self, window: RunWindow) -> None:
        """Note a phase, and that the runner lives."""
        self.run = self.run.model_copy(update={"windows": [*self.run.windows, window]})
        self.beat()

    def beat(self) -> str:
        """Show that the runner lives; return who asked it to stop, and why, or "".

        Raises:
            EndedEarlyError: the API stopped answering, so nothing could be counted.
        """
        self.run = self.run.model_copy(update={"heartbeat_at": self.clock()})
        asked = self.recorder.heartbeat(self.run)
        if self.recorder.api_lost:
            raise EndedEarlyError("the API stopped answering, so nothing could be counted")
        return asked

    def end(self, step: str, summary: str, **update: Any) -> Run:
        """Store the last state and return it; the local journal has it even if the API does not take it."""
        now = self.clock()
        event = RunEvent(at=now, step=step, message=summary)
        update |= {"summary": summary, "ended_at": now, "heartbeat_at": now, "events": [*self.run.events, event]}
        self.run = self.run.model_copy(update=update)
        saved = self.recorder.final(self.run)
        lost = "" if saved else " (The API did not take the result; the local journal has it.)"
        self.on_event(event.model_copy(update={"message": f"{summary}{lost}"}))
        return self.run
