"""The indicator of an OpenSLO document: a ratio of spans."""

from dataclasses import dataclass, replace
from typing import Final

from slo.errors import PredicateError
from slo.indicator import REQUEST_KINDS, FasterThan, Good, Matches, NotError, SpanIndicator
from slo.predicate import ERROR, SPAN_KINDS, Comparison, LiteralValue, Not, Predicate
from slo.predicate_fields import milliseconds_to_ns
from slo.predicate_parser import parse_predicate
from slo.yaml_document import YamlFields, YamlValue

_SPANS_FIELDS: Final = ("service", "environment", "kind", "filter", "group_by")
_KINDS: Final = {"request": REQUEST_KINDS} | {kind: (kind,) for kind in SPAN_KINDS}
_EXAMPLE: Final = "{metricSource: {type: spans, spec: {good: not error}}}"


def read_indicator(value: YamlValue, default_service: str) -> SpanIndicator:
    """Return the indicator that an inline `indicator:` describes; *default_service* is the objective's.

    Raises:
        DocumentError: with the line and what to write instead.
    """
    fields = value.fields(("metadata", "spec"))
    metadata = fields.get("metadata")
    if metadata is not None:
        metadata.fields(("name", "displayName", "labels", "annotations"))
    spec = fields.require("spec", "{ratioMetric: ...}").fields(
        ("description", "ratioMetric"), later=("thresholdMetric",)
    )
    return _ratio(spec.require("ratioMetric", f"{{good: {_EXAMPLE}, total: ...}}"), default_service)


def _ratio(value: YamlValue, service: str) -> SpanIndicator:
    fields = value.fields(("counter", "good", "bad", "total"), later=("raw", "rawType"))
    counter = fields.get("counter")
    if counter is not None:
        counter.flag()  # spans are events: how a counter would be read makes no difference
    good, bad = fields.get("good"), fields.get("bad")
    if (good is None) == (bad is None):
        raise value.error(f"{value.path} needs either good or bad beside total; write good: {_EXAMPLE}")
    total = _spans(fields.require("total", "{metricSource: {type: spans, spec: {}}}"), service, None)
    part = _spans(good, service, "good") if good is not None else _spans(_present(bad), service, "bad")
    _check_agreement(part, total)
    return part.indicator


@dataclass(frozen=True, slots=True)
class _Source:
    """One `metricSource` over spans, and its `spec` for the lines of problems."""

    indicator: SpanIndicator
    spec: YamlValue


def _spans(value: YamlValue, service: str, predicate: str | None) -> _Source:
    """Read one side of the ratio; *predicate* is the key ("good", "bad") that says which of the spans it takes."""
    source = value.fields(("metricSource",)).require("metricSource", "{type: spans, spec: {}}")
    parts = source.fields(("type", "spec"), later=("metricSourceRef",))
    kind = parts.require("type", "spans")
    if kind.text() != "spans":
        raise kind.error(f"not supported yet: metricSource type {kind.text()!r}; write spans")
    spec = parts.require("spec", "{}")
    fields = spec.fields(_SPANS_FIELDS if predicate is None else (*_SPANS_FIELDS, predicate))
    indicator = _population(fields, service)
    if predicate is not None:
        example = "not error" if predicate == "good" else "error"
        indicator = replace(indicator, good=_good(fields.require(predicate, example), inverted=predicate == "bad"))
    return _Source(indicator, spec)


def _population(fields: YamlFields, default_service: str) -> SpanIndicator:
    service, environment = fields.get("service"), fields.get("environment")
    wanted, group_by = fields.get("filter"), fields.get("group_by")
    return SpanIndicator(
        service=default_service if service is None else service.text(),
        environment=None if environment is None else environment.text(empty=True),
        kinds=_kinds(fields.get("kind")),
        filter=None if wanted is None else _predicate(wanted),
        group_by=() if group_by is None else _names(group_by),
    )


def _kinds(value: YamlValue | None) -> tuple[str, ...]:
    if value is None:
        return REQUEST_KINDS
    name = value.text()
    if name not in _KINDS:
        raise value.error(f"kind {name!r} is not known; write one of {', '.join(_KINDS)}")
    return _KINDS[name]


def _names(value: YamlValue) -> tuple[str, ...]:
    names = tuple(item.text() for item in value.items())
    if len(set(names)) < len(names):
        raise value.error(f"{value.path} names an attribute twice; keep one")
    return names


def _predicate(value: YamlValue) -> Predicate:
    try:
        return parse_predicate(value.text())
    except PredicateError as error:
        raise value.error(f"{value.path}: {error}") from error


def _good(value: YamlValue, *, inverted: bool) -> Good:
    predicate = _predicate(value)
    if inverted:
        predicate = predicate.operand if isinstance(predicate, Not) else Not(predicate)
    threshold = _threshold_ns(predicate)
    if threshold is not None:
        if threshold <= 0:
            raise value.error(f"{value.path}: the latency threshold must be above 0 ms")
        return FasterThan(threshold)
    return NotError() if _is_not_error(predicate) else Matches(predicate)


def _is_not_error(predicate: Predicate) -> bool:
    # a span always has an error flag, so these say the same
    return predicate in (Not(ERROR), Comparison("error", "=", False), Comparison("error", "!=", True))


def _threshold_ns(predicate: Predicate) -> int | None:
    """Return N of `duration_ms <= N` or of `not duration_ms > N`: every span has a duration, so they say the same."""
    match predicate:
        case Comparison("duration_ms", "<=", value) | Not(Comparison("duration_ms", ">", value)):
            return _nanoseconds(value)
        case _:
            return None


def _nanoseconds(value: LiteralValue | tuple[LiteralValue, ...]) -> int | None:
    return milliseconds_to_ns(value) if isinstance(value, int | float) else None


def _check_agreement(part: _Source, total: _Source) -> None:
    for name in ("service", "environment", "kinds", "filter", "group_by"):
        mine, other = getattr(part.indicator, name), getattr(total.indicator, name)
        if mine != other:
            field = "kind" if name == "kinds" else name
            raise part.spec.error(
                f"{part.spec.path} and {total.spec.path} differ in {field}; the good spans must be some of the total: "
                f"write the same {field} in both"
            )


def _present(value: YamlValue | None) -> YamlValue:
    assert value is not None
    return value
