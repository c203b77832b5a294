"""The conditions of a run, one function each: facts in, a check with its reason and remedy out. Pure."""

from collections.abc import Sequence
from datetime import datetime

from api.models import Alert, PredictedCost, RunCheck, RunSummary, Slo
from chaos.experiments.experiment import Experiment
from chaos.runner.run_store import STALE
from chaos.wire import EmergencyStopState, FaultState


def unlocked(lock: EmergencyStopState) -> RunCheck:
    if not lock.locked:
        return _good("emergency stop", "nobody has stopped everything")
    who = f" by {lock.by}" if lock.by else ""
    why = f": {lock.reason}" if lock.reason else ""
    detail = f"everything was stopped{who}{why}; release it with 'ninelives chaos stop --release'"
    return _bad("emergency stop", detail)


def no_other_fault(states: Sequence[FaultState]) -> RunCheck:
    left = next((state for state in states if state.phase != "reverted"), None)
    if left is None:
        return _good("no other fault", "the fault daemon breaks nothing now")
    return _bad(
        "no other fault", f"fault {left.id} ({left.kind} on {left.target}) is {left.phase}; one experiment at a time"
    )


def no_other_run(runs: Sequence[RunSummary], *, own_id: str, now: datetime) -> RunCheck:
    going = next(
        (run for run in runs if run.status == "running" and run.id != own_id and now - run.heartbeat_at <= STALE), None
    )
    if going is None:
        return _good("no other run", "no experiment is running")
    return _bad("no other run", f"run {going.id} is still going on; one experiment at a time")


def traffic(service: str, environment: str | None, requests: int, seconds: float) -> RunCheck:
    """An experiment without traffic proves nothing."""
    name = f"traffic of {service}"
    if requests:
        return _good(name, f"{requests:,} requests in the last {seconds:.0f} s")
    where = f" in environment {environment}" if environment else ""
    return _bad(
        name,
        f"service {service}{where} has had no request in the last {seconds:.0f} s; "
        "start its load, an experiment without traffic proves nothing",
    )


def samples(experiment: Experiment, service: str, requests: int, seconds: float) -> RunCheck:
    """Whether the fault window is long enough at the traffic of the last *seconds*: a run may go on without."""
    share = 1.0 if experiment.groups is None else experiment.groups.share
    expected = requests / seconds * experiment.duration_s * share
    detail = (
        f"about {expected:,.0f} requests an arm in {experiment.duration_s:g} s,"
        f" {experiment.min_samples:,} are asked for"
    )
    if expected >= experiment.min_samples or not requests:
        return _good(f"samples of {service}", detail)
    needed_s = experiment.min_samples / (requests / seconds * share)
    remedy = f"{detail}; a duration_s of {needed_s:.0f} would do, or a larger groups.share, or more load"
    return RunCheck(name=f"samples of {service}", ok=False, detail=remedy, blocks=False)


def quiet(alerts: Sequence[Alert], services: Sequence[str], *, allowed: bool) -> RunCheck:
    """Nobody breaks what is broken."""
    firing = [alert for alert in alerts if alert.state == "firing" and alert.service in services]
    if not firing:
        return _good("no alert fires", f"none of {', '.join(services) or 'the services'}")
    detail = f"{firing[0].summary} ({firing[0].id} of {firing[0].service})"
    more = f" and {len(firing) - 1} more" if len(firing) > 1 else ""
    remedy = "" if allowed else "; wait until it is resolved, set safeguards.allow_firing, or give --allow-firing"
    return RunCheck(name="no alert fires", ok=False, detail=f"firing: {detail}{more}{remedy}", blocks=not allowed)


def budget_left(slo: Slo, floor: float | None) -> RunCheck:
    name = f"budget of {slo.id}"
    left = slo.error_budget_remaining
    if floor is None:
        return RunCheck(name=name, ok=True, detail="nobody asks for a budget to be left", blocks=False)
    if left is None:
        return RunCheck(name=name, ok=True, detail="no events yet, so no budget to lose", blocks=False)
    detail = f"the error budget of {slo.id} has {left:,.1%} left, {floor:.0%} must be"
    if left >= floor:
        return _good(name, detail)
    if slo.draft:  # drawn up from traffic, often of minutes: nobody has promised it to anybody
        return RunCheck(name=name, ok=False, detail=f"{detail}; it is a draft, so the run may go on", blocks=False)
    return _bad(name, f"{detail}; wait, or lower safeguards.budget_floor")


def within_cost(predicted: Sequence[PredictedCost], limit: float | None) -> RunCheck:
    """Whether the worst case stays within the part of a budget that may be spent."""
    known = [each for each in predicted if each.predicted_share is not None]
    worst = max(known, key=lambda each: each.predicted_share or 0.0, default=None)
    if worst is None or worst.predicted_share is None:
        return _good("predicted cost", "no objective has a budget yet")
    detail = f"at worst {worst.predicted_share:.2%} of the budget of {worst.slo_id}"
    if limit is None or worst.predicted_share <= limit:
        return _good("predicted cost", detail)
    return _bad(
        "predicted cost",
        f"{detail}, blast_radius.budget_cost allows {limit:.2%}; shrink groups.share or duration_s, or raise it",
    )


def within_radius(affected: Sequence[str], allowed: Sequence[str]) -> RunCheck:
    names = ", ".join(affected) or "nobody that traces know"
    beyond = [service for service in affected if service not in allowed]
    if not allowed or not beyond:
        return _good("blast radius", f"may hurt {names}")
    return _bad(
        "blast radius",
        f"may hurt {', '.join(beyond)}, which blast_radius.services does not list ({', '.join(allowed)})",
    )


def _good(name: str, detail: str) -> RunCheck:
    return RunCheck(name=name, ok=True, detail=detail)


def _bad(name: str, detail: str) -> RunCheck:
    return RunCheck(name=name, ok=False, detail=detail)
