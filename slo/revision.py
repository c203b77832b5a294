"""Revisions of an objective: what was promised when, who changed it, and which promise judges which past."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from slo.definition import definition_of, plain, slo_of
from slo.duration import format_duration
from slo.indicator import Indicator
from slo.model import Slo
from slo.policy import AlertPolicy, BurnRatePair, ObjectiveBreach
from slo.predicate import And, Comparison, Not, Or, canonical
from slo.window import CalendarWindow, RollingWindow

_PLACE: Final = "source"  # where a definition lies is no part of what it says


@dataclass(frozen=True, slots=True)
class Revision:
    """Number *number* (from 1) of an objective: in force from *at* until the next one.

    `author` is the name of the user or of the pipeline's actor, `commit` that of the folder of the file; "" is unknown.
    """

    number: int
    at: datetime
    author: str
    commit: str
    slo: Slo

    @property
    def digest(self) -> str:
        return digest_of(self.slo)


@dataclass(frozen=True, slots=True)
class Reign:
    """[start, end) that one definition judges. `number` is None before the first revision."""

    start: datetime
    end: datetime
    slo: Slo
    number: int | None


def digest_of(slo: Slo) -> str:
    """Return a hash of the whole definition but for the file that it lies in: a moved file is no new promise."""
    definition = {name: value for name, value in definition_of(slo).items() if name != _PLACE}
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def definition_text(slo: Slo) -> str:
    """Return the definition as JSON in one line; `slo_from_text` reads it."""
    return json.dumps(definition_of(slo), separators=(",", ":"), ensure_ascii=False)


def slo_from_text(text: str) -> Slo:
    """Return the objective that `definition_text` wrote.

    Raises:
        InvalidObjective: *text* is not one.
    """
    return slo_of(json.loads(text))


def revision_in_force(revisions: Iterable[Revision], at: datetime) -> Revision | None:
    """Return the last of *revisions* made at or before *at*, None before the first."""
    made = [revision for revision in revisions if revision.at <= at]
    return max(made, key=lambda revision: revision.number, default=None)


def reigns(revisions: Iterable[Revision], today: Slo, start: datetime, end: datetime) -> tuple[Reign, ...]:
    """Return [start, end) cut where another definition came into force.

    Time before the first revision is judged by the first one, and all of it by *today* where there is none: nothing
    else is known of it.
    """
    ordered = sorted(revisions, key=lambda revision: revision.number)
    if not ordered:
        return (Reign(start, end, today, None),)
    inside = [revision for revision in ordered if start < revision.at < end]
    first = revision_in_force(ordered, start)
    found = [Reign(start, end, (first or ordered[0]).slo, None if first is None else first.number)]
    for revision in inside:
        last = found.pop()
        found.append(Reign(last.start, revision.at, last.slo, last.number))
        found.append(Reign(revision.at, end, revision.slo, revision.number))
    return tuple(reign for reign in found if reign.start < reign.end)


def changes(before: Slo, after: Slo) -> tuple[str, ...]:
    """Return what differs, one text a field, in the order of the fields; the file that it lies in is none of it.

    >>> from dataclasses import replace
    >>> from decimal import Decimal
    >>> from slo.draft import drafts
    >>> draft = drafts("checkout", "prod")[0]
    >>> changes(draft, replace(draft, target=Decimal("0.99"), owner="shop team"))
    ('target 0.999 -> 0.99', 'owner none -> shop team')
    """
    return tuple(_changed(before, after, ""))


def diff_text(before: Slo | None, after: Slo) -> str:
    """Return the change in one line.

    >>> from slo.draft import drafts
    >>> diff_text(None, drafts("checkout", "prod")[0])
    'added: 0.999 over 30d'
    """
    if before is None:
        return f"added: {plain(after.target)} over {after.window}"
    return "; ".join(changes(before, after)) or "nothing"


def _changed(before: Any, after: Any, path: str) -> Iterator[str]:
    """Yield the differing fields of two values of one class."""
    for field in fields(after):
        old, new = getattr(before, field.name), getattr(after, field.name)
        name = path + field.name
        if old == new or name == _PLACE:
            continue
        if type(old) is type(new) and isinstance(new, get_args(Indicator)):
            yield from _changed(old, new, f"{name}.")
        else:
            yield f"{name} {_text(old)} -> {_text(new)}"


def _text(value: Any) -> str:
    """Return a value as it is spoken of."""
    if value in (None, "", (), timedelta(0)):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(_text(item) for item in value)
    return _instance_text(value) if is_dataclass(value) else str(plain(value))


def _instance_text(value: Any) -> str:
    match value:
        case Comparison() | Not() | And() | Or():
            return canonical(value)
        case RollingWindow() | CalendarWindow():
            return str(value)
        case AlertPolicy(name, conditions):
            return " ".join((name, *(f"[{_text(condition)}]" for condition in conditions)))
        case BurnRatePair() | ObjectiveBreach():
            windows = f"{format_duration(value.long)}/{format_duration(value.short)}"
            return f"{windows} {value.severity} above {float(value.factor):g}"
        case _:
            named = ", ".join(f"{field.name}={_text(getattr(value, field.name))}" for field in fields(value))
            return f"{type(value).__name__}({named})" if named else type(value).__name__
