"""What a run proved, in plain words: the first thing that its page says."""

from datetime import datetime

from api import models as m
from dashboard.views import looks, runs, texts, units
from dashboard.views.markup import Column, Markup, chip, join, lines, muted, strong, table, tag

_MEANINGS: dict[m.Verdict, str] = {
    "held": "The hypothesis survived the fault.",
    "deviated": "The fault hurt more than the hypothesis allows.",
    "inconclusive": "The data do not decide.",
    "not_injected": "The fault cannot be seen in the victim's own spans, so nothing was tested.",
    "aborted": "The run ended before its time, so nothing was proven.",
}
_RANK: tuple[m.Verdict, ...] = ("deviated", "not_injected", "aborted", "inconclusive", "held")
_COLUMNS = (
    Column("Verdict"),
    Column("Hypothesis"),
    Column("Without the fault", numeric=True),
    Column("With the fault", numeric=True),
    Column("Difference", numeric=True),
    Column("Margin", numeric=True),
    Column("p95", numeric=True),
    Column("Reason"),
)


def headline(item: m.Run, now: datetime) -> Markup:
    """Return the run's title, its verdict, what that means and the finding that decided."""
    parts = [tag("p", looks.run(item, now), " ", strong(runs.name(item)), css="nl-lead")]
    meaning = _MEANINGS[item.verdict] if item.verdict else _unjudged(item, now)
    parts.append(tag("p", strong(meaning)))
    decisive = next(iter(worst_first(item.findings)), None)
    if decisive is not None:
        parts.append(tag("p", sentence(decisive, item)))
    if item.stop_reason and item.ended_at is not None and item.stop_reason not in item.summary:
        parts.append(tag("p", "It was ", texts.name(item.stop_reason, texts.MESSAGE), "."))
    more = texts.shortened(item.summary, texts.MESSAGE)
    if more and meaning.lower() not in more.lower():
        parts.append(tag("p", more))
    return join(parts)


def _unjudged(item: m.Run, now: datetime) -> str:
    state = looks.run_status(item, now)
    if state == "running":
        return "It is going on; there is no verdict yet."
    if state == "aborted" and item.status == "running":
        return "Its runner has fallen silent; its faults end with their lease."
    return "It did not run." if state == "failed" else "It was not judged."


def worst_first(findings: list[m.Finding]) -> list[m.Finding]:
    """Return what decided the verdict first."""
    return sorted(findings, key=lambda item: _RANK.index(item.verdict))


def sentence(item: m.Finding, run: m.Run) -> str:
    """Return the numbers of a finding as a sentence."""
    control, treatment = (arm[0].lower() + arm[1:] for arm in runs.arms(run))
    first = _share(item.treatment_bad, item.treatment_total)
    second = _share(item.control_bad, item.control_total)
    said = (
        f"{texts.shortened(item.service, 60)}: {first} of the requests {bad(item)} ({treatment}), {second} ({control})"
    )
    if item.difference is None:
        return f"{said}."
    found = f"a difference of {points(item.difference)}, {interval(item)}"
    return f"{said}; {found}. At most {points(item.margin)} is allowed."


def bad(item: m.Finding) -> str:
    """Return what makes a request bad."""
    if item.sli != "latency":
        return "failed"
    return "were too slow" if item.threshold_ms is None else f"took longer than {units.duration(item.threshold_ms)}"


def findings(items: list[m.Finding]) -> Markup:
    """Return one row a line of the hypothesis, the worst first: both sides, the interval and the margin."""
    rows = [
        (
            chip(looks.VERDICTS[item.verdict]),
            lines(texts.name(item.hypothesis), muted(f"{texts.shortened(item.service, 60)} · {item.sli}")),
            _arm(item.control_bad, item.control_total),
            _arm(item.treatment_bad, item.treatment_total),
            lines(points(item.difference), muted(interval(item))),
            points(item.margin),
            lines(
                f"{units.duration(item.control_p95_ms)} →",
                units.duration(item.treatment_p95_ms),
                muted(p95_bounds(item)),
            ),
            lines(texts.name(item.reason), muted(needed(item))),
        )
        for item in worst_first(items)
    ]
    return table(_COLUMNS, rows, caption="Findings: without and with the fault")


def caption(item: m.Finding) -> Markup:
    """Return the name of a finding above its chart."""
    return tag("p", chip(looks.VERDICTS[item.verdict]), " ", texts.name(item.hypothesis), css="nl-caption")


def needed(item: m.Finding) -> str:
    """Return how many requests would have decided, "" where that is not the matter."""
    if item.samples_needed is None:
        return ""
    return f"about {units.count(item.samples_needed)} requests on each side would decide"


def points(ratio: float | None) -> str:
    """Return a difference of two ratios in percentage points, with its sign, never rounded to none.

    >>> points(0.0412), points(-0.1), points(0), points(0.00001)
    ('+4.12 pp', '-10.00 pp', '0 pp', '+0.001 pp')
    """
    if ratio is None:
        return units.MISSING
    if ratio == 0:
        return "0 pp"
    value = ratio * 100
    return f"{value:+.2f} pp" if abs(value) >= 0.01 else f"{value:+.1g} pp"


def interval(item: m.Finding) -> str:
    """Return the confidence interval of the difference."""
    if item.interval_low is None or item.interval_high is None:
        return "no interval"
    return f"{units.objective(item.confidence)} CI {points(item.interval_low)} to {points(item.interval_high)}"


def p95_bounds(item: m.Finding) -> str:
    """Return the interval of the difference of both p95, "" where there is none."""
    low, high = item.p95_difference_low_ms, item.p95_difference_high_ms
    return "" if low is None or high is None else f"CI {low:+,.0f} to {high:+,.0f} ms"


def _share(some: int, total: int) -> str:
    if not total:
        return "none (no requests)"
    return f"{units.percent(some / total)} ({units.count(some)} of {units.count(total)})"


def _arm(some: int, total: int) -> Markup:
    return lines(
        units.percent(some / total) if total else muted("no data"),
        muted(f"{units.count(some)} bad of {units.count(total)}"),
    )
