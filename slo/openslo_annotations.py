"""What OpenSLO has no field for: the annotations with our prefix."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, get_args

from slo.budget_policy import (
    BudgetAction,
    BudgetAlert,
    ExhaustionAlert,
    read_budget_alerts,
    read_budget_policy,
    read_exhaustion_alert,
)
from slo.budgeting import EmptySlices
from slo.duration import parse_duration
from slo.errors import InvalidDuration, InvalidObjective, InvalidPolicy
from slo.model import Exclusion
from slo.policy_text import POLICY_ANNOTATION, WINDOWS_ANNOTATION
from slo.yaml_value import YamlValue

OUR_PREFIX: Final = "ninelives/"
_LONGEST_LATENESS: Final = timedelta(days=1)
_LONGEST_WAIT: Final = timedelta(days=1)
_SLO_FIELDS: Final = (
    "sla",
    "min_total",
    "min_bad",
    "lateness",
    "exclusions",
    "owner",
    "runbook",
    "budget_alerts",
    "exhaustion_alert",
    "budget_policy",
    "alert_for",
    "keep_firing_for",
)


@dataclass(frozen=True, slots=True)
class OurAnnotations:
    """The values of the annotations; `places` has where each is written, by its full name."""

    places: dict[str, YamlValue]
    sla: Decimal | None = None
    empty_slices: EmptySlices | None = None
    min_total: int = 0
    min_bad: int = 0
    lateness: timedelta | None = None
    exclusions: tuple[Exclusion, ...] = ()
    owner: str = ""
    runbook: str = ""
    budget_alerts: tuple[BudgetAlert, ...] = ()
    exhaustion_alert: ExhaustionAlert | None = None
    budget_policy: tuple[BudgetAction, ...] = ()
    alert_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)

    def of_slo(self) -> dict[str, Any]:
        """Return those that are fields of an Slo by the same name."""
        return {name: getattr(self, name) for name in _SLO_FIELDS}


def read_annotations(annotations: dict[str, YamlValue]) -> OurAnnotations:
    """Return those of *annotations* that have our prefix; others are other programs' business.

    Raises:
        DocumentError: one is not known, or cannot be read.
    """
    ours = {name: value for name, value in annotations.items() if name.startswith(OUR_PREFIX)}
    known = (POLICY_ANNOTATION, WINDOWS_ANNOTATION, *(OUR_PREFIX + name for name in _READERS))
    for name, value in ours.items():
        if name not in known:
            raise value.error(f"unknown annotation {name}; known: {', '.join(known)}")
    found: dict[str, Any] = {}
    for name, read in _READERS.items():
        written = ours.get(OUR_PREFIX + name)
        if written is not None:
            found[name.replace("-", "_")] = _checked(written, name, read)
    return OurAnnotations(ours, **found)


def parse_exclusions(text: str) -> tuple[Exclusion, ...]:
    """Return the times that *text* lists: `start/end reason; ...`, in whole minutes, sorted.

    Raises:
        ValueError: one cannot be read.
        InvalidObjective: one has no zone or ends before it starts.

    >>> parse_exclusions("2026-03-01T22:00Z/2026-03-02T02:00Z new database")[0].reason
    'new database'
    """
    return tuple(sorted((_exclusion(part.strip()) for part in text.split(";") if part.strip()), key=lambda e: e.start))


def _checked(value: YamlValue, name: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(value.scalar())
    except (ValueError, InvalidOperation, InvalidDuration, InvalidObjective, InvalidPolicy) as error:
        reason = _EXPECTED.get(name) if isinstance(error, InvalidOperation) else str(error)
        raise value.error(f"{OUR_PREFIX}{name}: {reason or _EXPECTED[name]}") from error


_EXPECTED: Final = {"sla": "write a ratio or a percentage, such as 0.995 or 99.5%"}


def _sla(text: str) -> Decimal:
    sla = Decimal(text[:-1].strip()) / 100 if text.endswith("%") else Decimal(text)
    if not sla.is_finite() or not 0 < sla < 1 or abs(sla.adjusted()) > 30:
        raise ValueError(f"{text} must lie between 0 and 1, or 0% and 100%, such as 0.995 or 99.5%")
    return sla


def _empty_slices(text: str) -> EmptySlices:
    for choice in get_args(EmptySlices):
        if choice == text:
            found: EmptySlices = choice
            return found
    raise ValueError(f"{text!r} is not known; write ignore, good or bad")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ValueError(f"{text!r} is not a count; write a whole number such as 100")
    return int(text)


def _lateness(text: str) -> timedelta:
    lateness = parse_duration(text)
    if lateness > _LONGEST_LATENESS:
        raise ValueError(f"{text} is longer than a day; write how long rows may be on their way, such as 75s")
    return lateness


def _wait(text: str) -> timedelta:
    wait = parse_duration(text)
    if wait > _LONGEST_WAIT:
        raise ValueError(f"{text} is longer than a day; write a shorter wait, such as 2m")
    return wait


def _exclusion(text: str) -> Exclusion:
    period, _, reason = text.partition(" ")
    first, slash, last = period.partition("/")
    if not slash or not reason.strip():
        raise ValueError(f"{text!r} is not start/end and a reason; write 2026-03-01T22:00Z/2026-03-02T02:00Z upgrade")
    return Exclusion(_moment(first), _moment(last), reason.strip())


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time; write one such as 2026-03-01T22:00Z") from error
    if moment.second or moment.microsecond:
        raise ValueError(f"{text} must be a whole minute, as everything is counted by minutes")
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "sla": _sla,
    "empty-slices": _empty_slices,
    "min-total": _count,
    "min-bad": _count,
    "lateness": _lateness,
    "exclusions": parse_exclusions,
    "owner": str.strip,
    "runbook": str.strip,
    "budget-alerts": read_budget_alerts,
    "exhaustion-alert": read_exhaustion_alert,
    "budget-policy": read_budget_policy,
    "alert-for": _wait,
    "keep-firing-for": _wait,
}
