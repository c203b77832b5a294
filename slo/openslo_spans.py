"""Metric sources of type spans: requests, and floors of how many or how recent they are."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction
from typing import Final

from slo.budgeting import Budgeting, Freshness, Throughput
from slo.duration import parse_duration
from slo.errors import InvalidDuration, InvalidObjective
from slo.indicator import REQUEST_KINDS, FasterThan, Good, Matches, NotError, SpanIndicator
from slo.openslo_fields import (
    COMMON,
    positive,
    read_environment,
    read_filter,
    read_groups,
    read_predicate,
    read_service,
    read_whole_number,
)
from slo.openslo_sli import MetricSource, RatioSli
from slo.openslo_threshold import Threshold
from slo.predicate import ERROR, SPAN_KINDS, Comparison, LiteralValue, Not, Predicate
from slo.predicate_fields import milliseconds_to_ns
from slo.window import LONGEST
from slo.yaml_value import YamlFields, YamlValue

MEASURES: Final = ("duration_ms", "throughput", "freshness")

_FIELDS: Final = (*COMMON, "kind", "filter")
_KINDS: Final = {"request": REQUEST_KINDS} | {kind: (kind,) for kind in SPAN_KINDS}
_NS_PER_MS: Final = 1_000_000


def read_span_ratio(sli: RatioSli, service: str) -> SpanIndicator:
    """Return the indicator of a ratio of spans.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    total = sli.sides.get("total")
    if total is None:
        raise sli.value.error("spans need total and either good or bad; write total: {metricSource: ...}")
    side = "good" if "good" in sli.sides else "bad"
    part, whole = _spans(sli.sides[side], service, side), _spans(total, service, None)
    _check_agreement(part, whole)
    return part.indicator


def read_span_threshold(
    source: MetricSource, service: str, threshold: Threshold
) -> tuple[SpanIndicator, Budgeting | None]:
    """Return the indicator of a measure of spans, and the floor if the measure is one.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    fields = source.spec.fields((*_FIELDS, "measure", "good"), ours=True)
    value = fields.require("measure", "duration_ms")
    measure, good = value.choice(MEASURES), fields.get("good")
    if good is not None and measure != "freshness":
        raise good.error("good has a use with measure: freshness only; write a filter")
    indicator = _population(fields, service)
    match measure:
        case "duration_ms":
            return replace(indicator, good=_faster(threshold)), None
        case "throughput":
            return indicator, _throughput(threshold)
        case "freshness":
            fresh = NotError() if good is None else _good(good, inverted=False)
            return replace(indicator, good=fresh), _freshness(threshold)
        case _:
            raise value.error(f"measure {value.text()!r} is not known; write one of {', '.join(MEASURES)}")


def _faster(threshold: Threshold) -> Good:
    op = threshold.operator(("lte", "lt"), "a request is good when it takes at most so many milliseconds")
    nanoseconds = Fraction(positive(threshold.value)) * _NS_PER_MS
    if nanoseconds.denominator != 1:
        raise threshold.value.error("value is finer than a nanosecond; write at most six decimals")
    # durations are whole nanoseconds, so below N is at most N - 1
    return _faster_than(nanoseconds.numerator - (op == "lt"), threshold.value)


def _throughput(threshold: Threshold) -> Throughput:
    op = threshold.operator(("gte", "gt"), "a throughput is a floor")
    number = threshold.value.number()
    # events are whole, so more than N is at least N + 1
    whole = number.to_integral_value(ROUND_CEILING) if op == "gte" else number.to_integral_value(ROUND_FLOOR) + 1
    try:
        return Throughput(int(whole), threshold.slice_length)
    except InvalidObjective as error:
        raise threshold.value.error(str(error)) from error


def _freshness(threshold: Threshold) -> Freshness:
    threshold.operator(("lte", "lt"), "a freshness is how old the newest event may be")
    try:
        return Freshness(_age(threshold.value))
    except (InvalidObjective, InvalidDuration) as error:
        raise threshold.value.error(str(error)) from error


def _age(value: YamlValue) -> timedelta:
    if not value.is_text:
        seconds = read_whole_number(value)
        if seconds > LONGEST.total_seconds():
            raise InvalidObjective(f"a freshness of {seconds} s is longer than ten years; write a shorter one")
        return timedelta(seconds=seconds)
    age = parse_duration(value.text())
    value.deviate(f"value is a number in OpenSLO, here of seconds; write {age // timedelta(seconds=1)}")
    return age


@dataclass(frozen=True, slots=True)
class _Source:
    """One side of a ratio, and its `spec` for the places of problems."""

    indicator: SpanIndicator
    spec: YamlValue


def _spans(source: MetricSource, service: str, predicate: str | None) -> _Source:
    """Read one side of the ratio; *predicate* is the key ("good", "bad") that says which of the spans it takes."""
    fields = source.spec.fields(_FIELDS if predicate is None else (*_FIELDS, predicate), ours=True)
    indicator = _population(fields, service)
    if predicate is not None:
        example = "not error" if predicate == "good" else "error"
        indicator = replace(indicator, good=_good(fields.require(predicate, example), inverted=predicate == "bad"))
    return _Source(indicator, source.spec)


def _population(fields: YamlFields, default_service: str) -> SpanIndicator:
    return SpanIndicator(
        service=read_service(fields, default_service),
        environment=read_environment(fields),
        kinds=_kinds(fields.get("kind")),
        filter=read_filter(fields),
        group_by=read_groups(fields),
    )


def _kinds(value: YamlValue | None) -> tuple[str, ...]:
    if value is None:
        return REQUEST_KINDS
    name = value.choice(_KINDS)
    if name is None:
        raise value.error(f"kind {value.text()!r} is not known; write one of {', '.join(_KINDS)}")
    return _KINDS[name]


def _good(value: YamlValue, *, inverted: bool) -> Good:
    predicate = read_predicate(value)
    if inverted:
        predicate = predicate.operand if isinstance(predicate, Not) else Not(predicate)
    threshold = _threshold_ns(predicate)
    if threshold is not None:
        return _faster_than(threshold, value)
    return NotError() if _is_not_error(predicate) else Matches(predicate)


def _faster_than(nanoseconds: int, value: YamlValue) -> FasterThan:
    try:
        return FasterThan(nanoseconds)
    except InvalidObjective as error:
        raise value.error(str(error)) from error


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
        if getattr(part.indicator, name) != getattr(total.indicator, name):
            field = "kind" if name == "kinds" else name
            raise part.spec.error(
                f"{part.spec.path} and {total.spec.path} differ in {field}; the good spans must be some of the total: "
                f"write the same {field} in both"
            )
