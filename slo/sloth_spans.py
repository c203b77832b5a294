"""What Sloth's queries count, in terms of spans: a proposal, for the user to look over."""

import re
from collections.abc import Iterator
from typing import Final

from slo.indicator import FasterThan, Good, Matches, NotError, SpanIndicator
from slo.predicate import And, Comparison, Not, Or, Predicate
from slo.predicate_fields import milliseconds_to_ns
from slo.promql import Selector, parse_promql, selectors
from slo.promql_lexer import PromqlError

_REQUESTS: Final = re.compile(r"http|grpc|rpc|request", re.IGNORECASE)
_STATUS_LABELS: Final = ("code", "status", "status_code", "http_status_code", "http_response_status_code")
_STATUS_FIELD: Final = "http.response.status_code"
# label names that people give to what OpenTelemetry's semantic conventions call otherwise
_FIELDS: Final = {
    "method": "http.request.method",
    "http_method": "http.request.method",
    "http_request_method": "http.request.method",
    "route": "http.route",
    "path": "http.route",
    "handler": "http.route",
    "http_route": "http.route",
}
_STATUS_CODES: Final = range(100, 600)
_UNITS_MS: Final = (("_milliseconds", 1), ("_ms", 1), ("_seconds", 1000))


def suggest_spans(error_query: str, total_query: str, service: str) -> SpanIndicator | None:
    """Return an indicator over spans for queries over a metric of requests, None where they are of something else.

    Status codes become a predicate, buckets a duration; labels without a well-known attribute are left out.
    """
    try:
        bad, total = selectors(parse_promql(error_query)), selectors(parse_promql(total_query))
    except PromqlError:
        return None
    if not total or not all(_REQUESTS.search(selector.metric) for selector in (*bad, *total)):
        return None
    jobs = [matcher.value for selector in total for matcher in selector.matchers if matcher.label == "job"]
    conditions = [
        Comparison(_FIELDS[matcher.label], "=", matcher.value)
        for matcher in total[0].matchers
        if matcher.label in _FIELDS and matcher.op == "="
    ]
    return SpanIndicator(
        service=jobs[0].rpartition("/")[2] or service if jobs else service,
        environment=None,
        filter=_joined(conditions, And),
        good=_good(bad),
    )


def _good(found: list[Selector]) -> Good:
    for selector in found:
        threshold = _threshold_ns(selector)
        if threshold is not None:
            return FasterThan(threshold)
        codes = _codes(selector)
        if codes:
            ranges = [_range_predicate(first, last) for first, last in _ranges(codes)]
            return Matches(Not(_joined(ranges, Or) or ranges[0]))
    return NotError()


def _threshold_ns(selector: Selector) -> int | None:
    base = selector.metric.removesuffix("_bucket")
    factor = next((factor for unit, factor in _UNITS_MS if base.endswith(unit)), None)
    for matcher in selector.matchers:
        if matcher.label == "le" and matcher.op == "=" and factor and re.fullmatch(r"[0-9]+(\.[0-9]+)?", matcher.value):
            return milliseconds_to_ns(float(matcher.value) * factor) or None
    return None


def _codes(selector: Selector) -> list[int]:
    """Return the status codes that *selector* chooses, none where it does not tell them apart."""
    for matcher in selector.matchers:
        if matcher.label not in _STATUS_LABELS:
            continue
        if matcher.op in ("=", "!="):
            pattern = re.compile(re.escape(matcher.value))
        else:
            try:
                pattern = re.compile(matcher.value)
            except re.error:
                return []
        wanted = matcher.op in ("=", "=~")
        found = [code for code in _STATUS_CODES if (pattern.fullmatch(str(code)) is not None) == wanted]
        return [] if len(found) == len(_STATUS_CODES) else found
    return []


def _ranges(codes: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of consecutive *codes*, which are sorted and not empty."""
    first = last = codes[0]
    for code in codes[1:]:
        if code != last + 1:
            yield first, last
            first = code
        last = code
    yield first, last


def _range_predicate(first: int, last: int) -> Predicate:
    if first == last:
        return Comparison(_STATUS_FIELD, "=", first)
    bounds: list[Predicate] = []
    if first > _STATUS_CODES[0]:
        bounds.append(Comparison(_STATUS_FIELD, ">=", first))
    if last < _STATUS_CODES[-1]:
        bounds.append(Comparison(_STATUS_FIELD, "<=", last))
    return _joined(bounds, And) or bounds[0]


def _joined(parts: list[Comparison] | list[Predicate], kind: type[And] | type[Or]) -> Predicate | None:
    """Return *parts* as one predicate, None for none."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else kind(tuple(parts))
