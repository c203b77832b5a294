"""What a run proved, in plain words. Pure."""

from api.models import ExpectedAlert, Finding, Run, Verdict
from chaos.report import words

_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "held": ("Held", "the hypothesis survived the fault"),
    "deviated": ("Deviated", "the fault hurt more than the hypothesis allows"),
    "inconclusive": ("Inconclusive", "the data do not decide"),
    "not_injected": (
        "Not injected",
        "the fault cannot be seen in the victim's own spans, so nothing was tested",
    ),
    "aborted": ("Aborted", "the run ended before its time, so nothing was proven"),
}
_RANK: tuple[Verdict, ...] = ("deviated", "not_injected", "aborted", "inconclusive", "held")


def verdict_word(run: Run) -> str:
    """Return the verdict in one or two words, or the run's state while there is none."""
    if run.verdict is not None:
        return _VERDICTS[run.verdict][0]
    return {"running": "Running", "finished": "Not judged", "aborted": "Aborted", "failed": "Not run"}[run.status]


def verdict(run: Run) -> str:
    """Return what came of the run in one sentence."""
    if run.verdict is not None:
        return f"{_VERDICTS[run.verdict][0]}: {_VERDICTS[run.verdict][1]}."
    if run.status == "running":
        return "Running: there is no verdict yet."
    return words.shortened(run.summary, 400) or f"{verdict_word(run)}: nothing was proven."


def more(run: Run) -> str:
    """Return the run's own summary as far as it says more than `verdict`, else ""."""
    summary = words.shortened(run.summary, 600)
    return summary.removeprefix(verdict(run)).strip()


def arms(run: Run) -> tuple[str, str]:
    """Return what the two sides of the comparison are called."""
    return ("control", "treatment") if run.comparison == "concurrent" else ("before the fault", "under the fault")


def comparison(run: Run) -> str:
    """Return how the sides were compared, and how far that can be trusted."""
    if run.comparison == "before/after":
        return "before against under the fault; weaker than a control, as drifting traffic counts as effect"
    split = f", {words.share(run.groups.share)} of the requests each" if run.groups else ""
    return f"control against treatment at the same time{split}"


def worst_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda item: _RANK.index(item.verdict))


def bad(finding: Finding) -> str:
    """Return what makes a request bad.

    >>> bad(Finding.model_construct(sli="latency", threshold_ms=250.0))
    'took longer than 250 ms'
    """
    if finding.sli != "latency":
        return "failed"
    if finding.threshold_ms is None:
        return "were too slow"
    return f"took longer than {words.milliseconds(finding.threshold_ms)}"


def finding(item: Finding, run: Run) -> str:
    """Return the numbers of one finding as a sentence."""
    control, treatment = arms(run)
    under = f"{_part(item.treatment_bad, item.treatment_total)} {bad(item)} {_in(treatment)}"
    counts = (
        f"{words.shortened(item.service, 80)}: {under}, {_part(item.control_bad, item.control_total)} {_in(control)}"
    )
    if item.difference is None:
        return f"{counts}."
    return f"{counts}: {words.points(item.difference)} ({interval(item)}), margin {words.points(item.margin)}."


def interval(item: Finding) -> str:
    """Return the confidence interval of the difference."""
    if item.interval_low is None or item.interval_high is None:
        return "no interval"
    low, high = words.points(item.interval_low), words.points(item.interval_high)
    return f"{words.share(item.confidence)} interval {low} to {high}"


def p95(item: Finding) -> str:
    """Return the p95 of both sides and the interval of their difference."""
    told = f"{words.milliseconds(item.control_p95_ms)} to {words.milliseconds(item.treatment_p95_ms)}"
    low, high = item.p95_difference_low_ms, item.p95_difference_high_ms
    if low is None or high is None:
        return told
    return f"{told} ({words.share(item.confidence)} interval of the difference {low:+,.0f} to {high:+,.0f} ms)"


def needed(item: Finding) -> str:
    """Return how many requests would have decided, "" where that is not the matter."""
    if item.samples_needed is None:
        return ""
    return f"about {words.count(item.samples_needed)} requests on each side would decide"


def alert(item: ExpectedAlert) -> str:
    """Return whether an alert came as expected, and how fast."""
    name = words.shortened(item.alert, 120)
    if not item.expected:
        return f"{name} fired unexpectedly after {words.seconds(item.after_s)}"
    limit = f" within {words.seconds(item.within_s)}" if item.within_s is not None else ""
    if not item.fired:
        return f"{name} did not fire{limit}"
    late = item.within_s is not None and item.after_s is not None and item.after_s > item.within_s
    return f"{name} fired after {words.seconds(item.after_s)}, {'too late: expected' if late else 'expected'}{limit}"


def alert_ok(item: ExpectedAlert) -> bool:
    """Return whether an alert did what was expected of it."""
    if not item.expected or not item.fired:
        return not item.expected and not item.fired
    return item.within_s is None or (item.after_s is not None and item.after_s <= item.within_s)


def recovery(run: Run) -> str:
    """Return how long the services needed after the fault, "" when nobody measured it."""
    after_s = run.outcome.recovered_after_s if run.outcome else None
    return "" if after_s is None else f"back within the margin {words.seconds(after_s)} after the fault ended"


def _part(some: int, total: int) -> str:
    if not total:
        return "no requests"
    return f"{words.count(some)} of {words.count(total)} requests ({words.percent(some / total)})"


def _in(side: str) -> str:
    return f"in {side}" if side in {"control", "treatment"} else side
