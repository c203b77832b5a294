"""Checks of objectives that can be read, and yet can never work or mislead."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from slo.duration import format_duration
from slo.indicator import CounterIndicator, FasterThan, Good, MetricSelector, NotError, SpanIndicator
from slo.model import Slo
from slo.policy import BurnRatePair, Condition
from slo.predicate import ERROR, And, Comparison, Not, Predicate
from slo.standard_policy import can_fire, standard_policy, unreachable
from slo.tautology import excludes, implies
from slo.window import CalendarWindow

_ENVIRONMENT_ATTRIBUTES: Final = frozenset({"deployment.environment.name", "deployment.environment"})
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What the check *name* says about one objective."""

    name: str
    slo_id: str
    reason: str


def lint(
    slos: Sequence[Slo],
    *,
    retention: timedelta | None = None,
    services: Collection[tuple[str, str]] = (),
) -> list[Finding]:
    """Return what is suspicious about *slos*.

    Args:
        slos: all objectives.
        retention: how long counted minutes are kept; None skips what depends on it.
        services: the (service, environment) pairs that send telemetry.
    """
    found = [Finding(name, slo.id, reason) for slo in slos for name, check in _CHECKS.items() for reason in check(slo)]
    if retention is not None:
        found += [finding for slo in slos for finding in _beyond_retention(slo, retention)]
    return [*found, *_duplicates(slos), *several_environments(slos, services)]


def several_environments(slos: Iterable[Slo], services: Collection[tuple[str, str]]) -> list[Finding]:
    """Return the objectives that mix the environments of a service; *services* are all (service, environment) pairs."""
    environments: dict[str, set[str]] = {}
    for service, environment in services:
        environments.setdefault(service, set()).add(environment)
    return [
        Finding("several-environments", slo.id, _mixed(slo.indicator.service, names))
        for slo in slos
        if len(names := environments.get(slo.indicator.service, set())) > 1 and not _names_environment(slo)
    ]


def _mixed(service: str, names: set[str]) -> str:
    shown = ", ".join(name or "(none)" for name in sorted(names))
    return f"{service} reports from several environments ({shown}) and all are counted together; write environment"


def _names_environment(slo: Slo) -> bool:
    indicator = slo.indicator
    if indicator.environment is not None or _ENVIRONMENT_ATTRIBUTES & set(indicator.group_by):
        return True
    wanted = getattr(indicator, "filter", None)
    return wanted is not None and not _ENVIRONMENT_ATTRIBUTES.isdisjoint(_names(wanted))


def _names(predicate: Predicate) -> Iterator[str]:
    match predicate:
        case Comparison(field):
            yield field
        case Not(operand):
            yield from _names(operand)
        case _:
            for operand in predicate.operands:
                yield from _names(operand)


def _never_fires(slo: Slo) -> Iterator[str]:
    for condition in slo.policy.conditions:
        if not can_fire(condition.factor, slo.target):
            yield f"the {_text(condition)} alert can never fire: {unreachable(condition.factor, slo.target)}"


def _fires_within_budget(slo: Slo) -> Iterator[str]:
    if slo.policy == standard_policy(slo.target, slo.period).policy:
        return  # the workbook's last pair is a little below 1 for 28 days
    for condition in slo.policy.conditions:
        if isinstance(condition, BurnRatePair) and condition.factor < 1:
            yield (
                f"the {_text(condition)} alert fires at a burn rate of {float(condition.factor):g}, "
                "at which the budget lasts longer than the window; write 1 or more"
            )


def _longer_than_window(slo: Slo) -> Iterator[str]:
    for condition in slo.policy.conditions:
        if condition.long > slo.period:
            yield f"the {_text(condition)} alert looks back further than the objective's own {slo.window}"


def _always_good(slo: Slo) -> Iterator[str]:
    if not isinstance(slo.indicator, SpanIndicator):
        return
    good = _predicate(slo.indicator.good)
    if implies(_population(slo.indicator), good):
        yield "good is everything that is counted, so the budget can never be spent; change good or filter"


def _never_good(slo: Slo) -> Iterator[str]:
    if not isinstance(slo.indicator, SpanIndicator):
        return
    if excludes(_population(slo.indicator), _predicate(slo.indicator.good)):
        yield "good is nothing of what is counted, so the budget is always spent; change good or filter"


def _part_beyond_total(slo: Slo) -> Iterator[str]:
    indicator = slo.indicator
    if not isinstance(indicator, CounterIndicator) or indicator.total is None:
        return
    for name, part in (("good", indicator.good), ("bad", indicator.bad)):
        if part is not None and _wider(part, indicator.total):
            yield f"{name} counts more series of {part.metric} than total; give it the attributes of total and more"


def _wider(part: MetricSelector, total: MetricSelector) -> bool:
    return part.metric == total.metric and set(part.attributes) < set(total.attributes)


def _sla_is_stricter(slo: Slo) -> Iterator[str]:
    if slo.sla is not None and slo.sla > slo.target:
        yield f"the sla {slo.sla} is stricter than the target {slo.target}: customers would notice first"


def _start_does_not_exist(slo: Slo) -> Iterator[str]:
    if not isinstance(slo.window, CalendarWindow):
        return
    first, zone = slo.window.first, ZoneInfo(slo.window.zone)
    shown = first.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if shown != first:
        yield f"startTime {first} does not exist in {slo.window.zone}, where clocks were changed; it is read as {shown}"


def _beyond_retention(slo: Slo, retention: timedelta) -> Iterator[Finding]:
    if slo.period > retention:
        reason = f"the window {slo.window} is longer than minutes are kept, {format_duration(retention)}"
        yield Finding(
            "window-beyond-retention", slo.id, f"{reason}; shorten it or raise NINELIVES_RETENTION_ROLLUP_DAYS"
        )


def _duplicates(slos: Sequence[Slo]) -> Iterator[Finding]:
    ids: set[str] = set()
    seen: dict[object, Slo] = {}
    for slo in slos:
        if slo.id in ids:
            yield Finding("duplicate-id", slo.id, f"the id {slo.id!r} is used twice; give one another name")
            continue
        ids.add(slo.id)
        first = seen.setdefault((slo.indicator.series_id, slo.window, slo.budgeting), slo)
        # the objectives of one document share indicator and window on purpose: their targets tell them apart
        if first is not slo and (_document(first) != _document(slo) or first.target == slo.target):
            yield Finding("duplicate-objective", slo.id, f"it counts the same over the same window as {first.id!r}")


def _document(slo: Slo) -> str:
    return slo.id.partition(":")[0]


def _population(indicator: SpanIndicator) -> Predicate | None:
    """Return what holds for every span that is counted; kinds are left out where there are several."""
    kind = Comparison("kind", "=", indicator.kinds[0]) if len(indicator.kinds) == 1 else None
    if kind is None or indicator.filter is None:
        return kind or indicator.filter
    return And((indicator.filter, kind))


def _predicate(good: Good) -> Predicate:
    match good:
        case NotError():
            return Not(ERROR)
        case FasterThan(threshold_ns):
            return Comparison("duration_ms", "<=", float(Fraction(threshold_ns, _NS_PER_MS)))
        case _:
            return good.predicate


def _text(condition: Condition) -> str:
    return f"{format_duration(condition.long)}/{format_duration(condition.short)} {condition.severity}"


_CHECKS: Final[dict[str, Callable[[Slo], Iterator[str]]]] = {
    "alert-never-fires": _never_fires,
    "alert-within-budget": _fires_within_budget,
    "alert-longer-than-window": _longer_than_window,
    "always-good": _always_good,
    "never-good": _never_good,
    "part-beyond-total": _part_beyond_total,
    "sla-stricter-than-target": _sla_is_stricter,
    "start-does-not-exist": _start_does_not_exist,
}
