"""What a Chaos Toolkit journal proves, in our verdicts. Pure.

The toolkit's own exit code is 0 in several cases in which nothing was proven; each has a rule here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chaoslib.hypothesis import within_tolerance

from api.models import RunWindow, Verdict
from chaos.toolkit import journal_parts as parts
from chaos.toolkit.journal import Journal, noted

OURS = "chaos.toolkit."
INTERRUPTED = "InterruptExecution"  # what chaoslib raises on SIGTERM, and takes for a failed activity


@dataclass(frozen=True, slots=True)
class ToolkitResult:
    """`ran`: the method was begun, so something may have been broken."""

    verdict: Verdict
    reason: str
    windows: list[RunWindow]
    ran: bool = True


def interpret(journal: Journal, *, trusted: bool = True) -> ToolkitResult:
    """Return the verdict of *journal*, why, and its windows: before, during and after the method.

    Args:
        journal: Chaos Toolkit's.
        trusted: it was written here. Of other people's, no expression is evaluated, as it could take forever.
    """
    runs = parts.runs(journal.get("run"))
    broken, unknown = _method_tolerances(runs, trusted=trusted)
    verdict, reason = _verdict(journal, runs, broken)
    doubts = [
        *_doubts(journal),
        *(f"the tolerance of the probe {name} in the method was not checked" for name in unknown),
    ]
    if doubts and verdict == "held":
        verdict, reason = "inconclusive", f"the hypothesis was met, but {'; '.join(doubts)}"
    elif doubts:
        reason = f"{reason}; {'; '.join(doubts)}"
    return ToolkitResult(verdict, reason, _windows(journal, runs), ran=bool(runs))


def _verdict(journal: Journal, runs: Sequence[dict[str, Any]], broken: Sequence[str]) -> tuple[Verdict, str]:
    ended = _ended_early(journal, runs)
    if ended:
        return "aborted", ended
    before = parts.states(journal, "before")
    if before and not _met(before[0]):
        return "inconclusive", f"nothing was broken: before the method, {_failing(before[0])}"
    missing = [_name(run) for run in runs if _is_action(run) and run.get("status") != "succeeded"]
    later = [*parts.states(journal, "during"), *parts.states(journal, "after")]
    deviated = [*(_failing(state) for state in later if _deviates(state)), *broken]
    if deviated and not (missing and len(missing) == _count_actions(runs)):
        return "deviated", deviated[0]
    if missing:
        return "not_injected", f"the action {missing[0]} failed, so its fault was not injected"
    if not _count_actions(runs):
        return "not_injected", "the method ran no action, so nothing was broken"
    return _undeviated(journal, later)


def _undeviated(journal: Journal, later: Sequence[dict[str, Any]]) -> tuple[Verdict, str]:
    blind = [_failing(state) for state in later if not _met(state)]
    if blind:
        return "inconclusive", f"the hypothesis could not be evaluated: {blind[0]}"
    if not later:
        declared = parts.mapping(journal.get("experiment")).get("steady-state-hypothesis")
        why = "the hypothesis was not checked under or after the faults" if declared else "no hypothesis is declared"
        return "inconclusive", why
    if journal.get("deviated"):
        return "deviated", "the journal says that the steady state deviated"
    return "held", f"the steady state was met in {len(later)} checks under and after the faults"


def _ended_early(journal: Journal, runs: Sequence[dict[str, Any]]) -> str:
    status = journal.get("status")
    reason = str(noted(journal)["reason"])
    if status in ("aborted", "interrupted"):
        return reason or f"the run was {status}"
    probes = [run for phase in ("before", "during", "after") for run in parts.probe_runs(journal, phase)]
    every = [*runs, *parts.runs(journal.get("rollbacks")), *probes]
    if any(INTERRUPTED in line for run in every for line in _exception(run)):
        return "a signal meant to end the run was swallowed by an activity, and the run went on"
    if status not in ("completed", "failed"):
        return f"the journal has no status of a finished run (got {status!r})"
    return reason


def _doubts(journal: Journal) -> list[str]:
    doubts = [f"a guard or control failed ({problem})" for problem in noted(journal)["problems"]]
    declared = parts.mapping(journal.get("experiment")).get("rollbacks")
    rollbacks = parts.runs(journal.get("rollbacks"))
    if isinstance(declared, list) and len(rollbacks) < len(declared):
        doubts.append(f"{len(rollbacks)} of {len(declared)} rollbacks were played")
    failed = [_name(run) for run in rollbacks if run.get("status") != "succeeded"]
    if failed:
        doubts.append(f"the rollback {failed[0]} failed")
    dry = parts.mapping(journal.get("experiment")).get("dry")
    if dry:
        doubts.append(f"it was a dry run ({dry})")
    return doubts


def _deviates(state: dict[str, Any]) -> bool:
    """Whether an unmet steady state is a deviation. A probe of ours that fails has no data: that proves nothing."""
    if _met(state):
        return False
    failed = [run for run in parts.runs(state.get("probes")) if run.get("status") == "failed"]
    return not (failed and str(parts.provider(failed[-1]).get("module", "")).startswith(OURS))


def _method_tolerances(runs: Sequence[dict[str, Any]], *, trusted: bool) -> tuple[list[str], list[str]]:
    """Probes of the method that broke their tolerance, which chaoslib ignores there, and those nobody can judge."""
    broken, unknown = [], []
    for run in runs:
        activity = parts.activity(run)
        if activity.get("type") != "probe" or activity.get("tolerance") is None:
            continue
        met = _within(activity["tolerance"], run.get("output"), trusted) if run.get("status") == "succeeded" else None
        if met is None:
            unknown.append(_name(run))
        elif not met:
            broken.append(f"the probe {_name(run)} was out of its tolerance under the faults")
    return broken, unknown


def _within(tolerance: Any, output: Any, trusted: bool) -> bool | None:
    kind = tolerance.get("type") if isinstance(tolerance, dict) else "range"
    if kind == "probe" or (kind != "range" and not trusted):
        return None  # a probe would be run now, long after the fault
    try:
        return bool(within_tolerance(tolerance, output, {}, {}))
    except Exception:  # noqa: BLE001 - a tolerance may raise anything on an output that it was not made for
        return False


def _windows(journal: Journal, runs: Sequence[dict[str, Any]]) -> list[RunWindow]:
    start, end = parts.moment(journal.get("start")), parts.moment(journal.get("end"))
    begun = [at for at in (parts.moment(run.get("start")) for run in runs) if at is not None]
    if start is None or end is None or not begun:
        return []
    reverted = [
        at for at in (parts.moment(run.get("start")) for run in parts.runs(journal.get("rollbacks"))) if at is not None
    ]
    fault_start, fault_end = min(begun), min(reverted, default=end)
    bounds = [("baseline", start, fault_start), ("fault", fault_start, fault_end), ("recovery", fault_end, end)]
    return [RunWindow(phase=phase, started_at=since, ended_at=until) for phase, since, until in bounds if since < until]


def _met(state: dict[str, Any]) -> bool:
    return state.get("steady_state_met") is True


def _failing(state: dict[str, Any]) -> str:
    probes = parts.runs(state.get("probes"))
    bad = [run for run in probes if run.get("status") == "failed" or run.get("tolerance_met") is False]
    if not bad:
        return "the steady state was not met"
    what = "failed" if bad[-1].get("status") == "failed" else "was out of its tolerance"
    why = _exception(bad[-1])
    return f"the probe {_name(bad[-1])} {what}" + (f" ({why[-1].strip()})" if why else "")


def _exception(run: dict[str, Any]) -> list[str]:
    lines = run.get("exception")
    return [str(line) for line in lines] if isinstance(lines, list) else [str(lines)] if lines else []


def _count_actions(runs: Sequence[dict[str, Any]]) -> int:
    return sum(_is_action(run) for run in runs)


def _is_action(run: dict[str, Any]) -> bool:
    return bool(parts.activity(run).get("type") == "action")


def _name(run: dict[str, Any]) -> str:
    return repr(parts.activity(run).get("name", "?"))
