"""A whole objective as plain data and back, exactly: what a revision stores.

Every dataclass carries the name of its class, so that classes with the same fields (`And`, `Or`) stay apart; numbers,
times and predicates are texts. Fields that a stored definition lacks take their defaults, and unknown ones are skipped:
a definition outlives the version that wrote it.
"""

import dataclasses
import types
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from slo.duration import format_duration, parse_duration
from slo.errors import InvalidObjective, SloError
from slo.model import Slo
from slo.predicate import And, Comparison, Not, Or, canonical
from slo.predicate_parser import parse_predicate

TYPE: Final = "type"
_PREDICATES: Final = (Comparison, Not, And, Or)
_MICROSECOND: Final = timedelta(microseconds=1)


def definition_of(slo: Slo) -> dict[str, Any]:
    """Return every field of *slo* as JSON's own types; equal objectives give equal definitions.

    >>> from slo.draft import drafts
    >>> definition_of(drafts("checkout", "prod")[0])["window"]
    {'type': 'RollingWindow', 'length': '30d'}
    """
    found: dict[str, Any] = plain(slo)
    return found


def slo_of(definition: dict[str, Any]) -> Slo:
    """Return the objective that `definition_of` wrote.

    Raises:
        InvalidObjective: *definition* is not one, or was written by a newer version in words unknown here.
    """
    try:
        found = _typed(definition, Slo)
    except (SloError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidObjective(f"this is no stored objective: {type(error).__name__}: {error}") from error
    assert isinstance(found, Slo)
    return found


def plain(value: Any) -> Any:
    """Return a value of an objective as JSON's own types."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, _PREDICATES):
        found = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {TYPE: type(value).__name__} | found
    write = _WRITERS.get(type(value))
    return value if write is None else write(value)


def _typed(value: Any, hint: Any) -> Any:
    """Return *value* as the type that *hint* names."""
    if value is None:
        return None
    kinds = tuple(_members(hint))
    if isinstance(value, dict):
        return _instance(value, {kind.__name__: kind for kind in kinds})
    if isinstance(value, list):
        return _items(value, next((kind for kind in kinds if get_origin(kind) is tuple), None))
    if any(kind in _PREDICATES for kind in kinds):
        return parse_predicate(value)
    return _scalar(value, kinds)


def _scalar(value: Any, kinds: tuple[Any, ...]) -> Any:
    if Decimal in kinds:
        return Decimal(value)
    if Fraction in kinds:
        return Fraction(value)
    if timedelta in kinds:
        return timedelta(microseconds=int(value[:-2])) if value.endswith("us") else parse_duration(value)
    if datetime in kinds:
        return datetime.fromisoformat(value)
    return value


def _items(values: list[Any], hint: Any) -> tuple[Any, ...]:
    """Return a tuple: of one type and any length, or of a type for each place."""
    types_of_items = get_args(hint)
    if len(types_of_items) == 2 and types_of_items[1] is Ellipsis:
        return tuple(_typed(item, types_of_items[0]) for item in values)
    return tuple(_typed(item, kind) for item, kind in zip(values, types_of_items, strict=True))


def _instance(value: dict[str, Any], kinds: dict[str, Any]) -> Any:
    kind = kinds[value[TYPE]]
    hints = _hints(kind)
    known = [field.name for field in dataclasses.fields(kind) if field.name in value]
    return kind(**{name: _typed(value[name], hints[name]) for name in known})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _members(hint: Any) -> Iterator[Any]:
    """Yield the types that *hint* allows, unions taken apart."""
    if get_origin(hint) in (Union, types.UnionType):
        for member in get_args(hint):
            yield from _members(member)
    else:
        yield hint


def _decimal_text(number: Decimal) -> str:
    """Return one text for equal numbers: 0.990 and 0.99 promise the same."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _duration_text(duration: timedelta) -> str:
    if duration > timedelta(0) and not duration.microseconds:
        return format_duration(duration)
    return f"{duration // _MICROSECOND}us"


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    **dict.fromkeys(_PREDICATES, canonical),
    Decimal: _decimal_text,
    Fraction: str,
    timedelta: _duration_text,
    datetime: datetime.isoformat,
}
