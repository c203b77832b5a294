"""What must be true before anything is broken. Asking breaks nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from api.client import ApiClient, ApiError
from api.models import EdgeEffect, Groups, PredictedCost, Preflight, RunCheck, RunWindow, Slo
from chaos.errors import ExperimentError, FaultDaemonError, RunRefusedError
from chaos.experiments.experiment import Experiment
from chaos.fault_client import FaultClient
from chaos.runner import checks, cost
from chaos.runner.counting import Counting, Side
from chaos.runner.victims import TargetProblemError, Victim, affected, find_victims
from chaos.wire import EmergencyStopState, FaultState, TargetList

TRAFFIC_S = 60.0
MAP_S = 300.0
T = TypeVar("T")
_PROBLEMS = (ApiError, FaultDaemonError, ExperimentError, TargetProblemError)


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked experiment, its objectives resolved. `baseline`: the past that serves as such, None to wait for one."""

    experiment: Experiment
    groups: Groups | None
    victims: Sequence[Victim]
    slos: Sequence[Slo]
    baseline: RunWindow | None
    preflight: Preflight

    def require(self) -> None:
        """Refuse what must not run.

        Raises:
            RunRefusedError: checks failed; the message is their reasons and remedies.
        """
        reasons = [check.detail for check in self.preflight.checks if check.blocks and not check.ok]
        if reasons:
            raise RunRefusedError("; ".join(dict.fromkeys(reasons)))


@dataclass(slots=True)
class Inspection:
    """Looks at the daemon, the API and the traffic as of *now*. What cannot be asked is a failed check."""

    asked: Experiment
    api: ApiClient
    daemon: FaultClient
    run_id: str
    now: datetime
    _checks: list[RunCheck] = field(default_factory=list)

    def plan(self) -> Plan:
        """Return the plan with every check made, also when some fail."""
        slos = self._list("API", self.api.slos)
        experiment = self._ask("objectives", lambda: self._resolved(slos), self.asked)
        victims, states = self._faults(experiment)
        edges = self._list("service map", lambda: self._edges(experiment))
        hurt = affected(victims, edges)
        mine = [slo for slo in slos if slo.service in hurt and experiment.environment in (None, slo.environment)]
        self._no_other_run()
        self._traffic(experiment)
        predicted = [self._predict(slo, experiment, victims, edges) for slo in mine]
        self._limits(experiment, mine, hurt, predicted)
        return Plan(
            experiment,
            groups_of(experiment, self.run_id),
            victims,
            mine,
            self._past(experiment, states),
            self._answer(experiment, hurt, predicted),
        )

    def _ask(self, name: str, question: Callable[[], T], otherwise: T) -> T:
        try:
            return question()
        except _PROBLEMS as error:
            self._checks.append(RunCheck(name=name, ok=False, detail=str(error)))
            return otherwise

    def _list(self, name: str, question: Callable[[], list[T]]) -> list[T]:
        nothing: list[T] = []
        return self._ask(name, question, nothing)

    def _resolved(self, slos: Sequence[Slo]) -> Experiment:
        return self.asked.resolved({slo.id: slo for slo in slos})

    def _faults(self, experiment: Experiment) -> tuple[list[Victim], list[FaultState]]:
        """Return whom the faults hit, and what the daemon breaks already."""
        if experiment.toolkit is not None:
            return [], []
        targets = self._ask("fault daemon", self.daemon.targets, TargetList(proxies=[], processes=[]))
        if self._checks and self._checks[-1].name == "fault daemon":
            return [], []
        lock = self._ask("emergency stop", self.daemon.emergency_stop_state, EmergencyStopState(locked=False))
        states = self._list("faults", self.daemon.faults)
        victims = self._list("target", lambda: find_victims(experiment, targets))
        self._checks += [checks.unlocked(lock), checks.no_other_fault(states)]
        if victims:
            text = "; ".join(f"{each.kind} on {each.target}, which hits {each.server}" for each in victims)
            self._checks.append(RunCheck(name="target", ok=True, detail=text))
        return victims, states

    def _edges(self, experiment: Experiment) -> list[EdgeEffect]:
        middle = self.now - timedelta(seconds=MAP_S)
        before, lately = Side(middle - timedelta(seconds=MAP_S), middle), Side(middle, self.now)
        return Counting(self.api, experiment.environment).propagation(before, lately)

    def _no_other_run(self) -> None:
        runs = self._list("runs", self.api.runs)
        self._checks.append(checks.no_other_run(runs, own_id=self.run_id, now=self.now))

    def _traffic(self, experiment: Experiment) -> None:
        seconds = max(TRAFFIC_S, experiment.baseline_s)
        for service in experiment.services:
            requests = self._requests(experiment, service, seconds)
            if requests is not None:
                self._checks.append(checks.traffic(service, experiment.environment, requests, seconds))
                self._checks.append(checks.samples(experiment, service, requests, seconds))

    def _requests(self, experiment: Experiment, service: str, seconds: float) -> int | None:
        lately = Side(self.now - timedelta(seconds=seconds), self.now)
        counting = Counting(self.api, experiment.environment)
        return self._ask(f"traffic of {service}", lambda: counting.sli(service, lately).total, None)

    def _predict(
        self, slo: Slo, experiment: Experiment, victims: Sequence[Victim], edges: Sequence[EdgeEffect]
    ) -> PredictedCost:
        return cost.predict(
            slo,
            requests=self._requests(experiment, slo.service, TRAFFIC_S) or 0,
            seconds=TRAFFIC_S,
            duration_s=experiment.duration_s,
            share=1.0 if experiment.groups is None else experiment.groups.share,
            reached=cost.reach(slo.service, victims, edges),
        )

    def _limits(
        self, experiment: Experiment, slos: Sequence[Slo], hurt: Sequence[str], predicted: Sequence[PredictedCost]
    ) -> None:
        guards, radius = experiment.safeguards, experiment.blast_radius
        alerts = self._list("alerts", lambda: self.api.alerts(state="firing"))
        self._checks.append(checks.quiet(alerts, hurt, allowed=guards.allow_firing))
        self._checks += [checks.budget_left(slo, guards.budget_floor) for slo in slos]
        self._checks.append(checks.within_cost(predicted, radius.budget_cost))
        self._checks.append(checks.within_radius(hurt, radius.services))

    def _past(self, experiment: Experiment, states: Sequence[FaultState]) -> RunWindow | None:
        """Return the last `baseline_s` seconds if nothing was broken in them and every service had enough requests."""
        end = self.now - timedelta(seconds=experiment.settle_s)
        start = end - timedelta(seconds=experiment.baseline_s)
        if any(state.ended_at is None or state.ended_at >= start for state in states):
            return None
        counting, side = Counting(self.api, experiment.environment), Side(start, end)
        try:
            counts = [counting.sli(service, side).total for service in experiment.services]
        except ApiError:
            return None
        if not counts or min(counts) < experiment.min_samples:
            return None
        return RunWindow(phase="baseline", started_at=start, ended_at=end)

    def _answer(self, experiment: Experiment, hurt: list[str], predicted: list[PredictedCost]) -> Preflight:
        return Preflight(
            experiment=experiment.name,
            title=experiment.title,
            environment=experiment.environment or "",
            services=experiment.services,
            method=described(experiment),
            comparison="before/after" if experiment.groups is None else "concurrent",
            share=1.0 if experiment.groups is None else experiment.groups.share,
            duration_s=experiment.duration_s,
            hypothesis=[str(line) for line in experiment.hypothesis],
            checks=self._checks,
            affected=hurt,
            predicted=predicted,
            safeguards=safeguards_in_words(experiment),
        )


def groups_of(experiment: Experiment, run_id: str) -> Groups | None:
    """Return how this run splits requests, None where it does not."""
    if experiment.groups is None:
        return None
    return Groups(share=experiment.groups.share, seed=experiment.seed or run_id)


def described(experiment: Experiment) -> list[dict[str, object]]:
    """Return the faults as a run lists them."""
    return [{"kind": fault.kind, "target": fault.target, **fault.attributes} for fault in experiment.method]


def safeguards_in_words(experiment: Experiment) -> list[str]:
    """Return what ends the run early, for whoever is about to start it."""
    guards = experiment.safeguards
    found = [f"every fault ends by itself {experiment.lease_s:g} s after the runner's last sign of life"]
    if guards.abort:
        found.append("the fault is reverted as soon as it is certain that a line of the hypothesis is broken")
        found.append("the run ends when nothing can be counted")
        if experiment.groups is not None:
            found.append("the run ends when the control arm is worse than before the fault")
    return found
