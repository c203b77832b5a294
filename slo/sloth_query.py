"""Sloth's error and total queries as indicators over metrics."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Final

from slo.errors import InvalidObjective, SloError
from slo.indicator import CounterIndicator, HistogramIndicator, MetricIndicator, MetricSelector
from slo.promql import Aggregation, Binary, Call, Expression, Matcher, Number, Selector, parse_promql
from slo.promql_lexer import WINDOW, PromqlError

_PLAIN_VALUE: Final = re.compile(r"[A-Za-z0-9 _/:,=@%~#-]*", re.ASCII)  # a regular expression that is its own text
_INCREASES: Final = ("rate", "increase")  # over one window both divide to the same ratio


class NotCarriedOver(SloError):  # noqa: N818 - the name already says what is wrong
    """A query that no indicator over metrics counts alike. `instead` says what to write."""

    def __init__(self, reason: str, instead: str) -> None:
        super().__init__(reason)
        self.instead = instead


@dataclass(frozen=True, slots=True)
class _Counted:
    """Increases of the series of `selector`, those of `service` ("" where no job is named), by `group_by`."""

    selector: MetricSelector
    service: str
    group_by: tuple[str, ...]


def read_events(error_query: str, total_query: str, service: str) -> MetricIndicator:
    """Return what counts the same events as `sli.events` does.

    *service* is meant where the queries name no job. Sloth's error query is our bad, `total - x` makes x our good, and
    `count - bucket{le=...}` a histogram with a threshold.

    Raises:
        NotCarriedOver: with the reason, and what to write instead.
    """
    total = _counted(_parsed("total_query", total_query), "total_query")
    error = _parsed("error_query", error_query)
    if isinstance(error, Binary) and error.operator == "-" and not error.matching:
        return _from_good(total, error, service)
    bad = _counted(error, "error_query")
    _check_agreement(bad, total)
    return _counters(total, service, bad=bad.selector)


def _from_good(total: _Counted, error: Binary, service: str) -> MetricIndicator:
    minuend, good = _counted(error.left, "error_query"), _counted(error.right, "error_query")
    if minuend != total:
        raise NotCarriedOver(
            "error_query subtracts from something else than total_query counts",
            "write error_query as total_query minus the good events",
        )
    _check_agreement(good, total)
    threshold = _threshold(total.selector, good.selector)
    if threshold is None:
        return _counters(total, service, good=good.selector)
    metric = replace(total.selector, metric=total.selector.metric.removesuffix("_count"))
    return HistogramIndicator(total.service or service, None, metric, threshold, total.group_by)


def _counters(
    total: _Counted, service: str, *, good: MetricSelector | None = None, bad: MetricSelector | None = None
) -> CounterIndicator:
    for selector in (good, bad, total.selector):
        if selector is not None and selector.metric.endswith(("_count", "_bucket")):
            raise NotCarriedOver(
                f"{selector.metric} is a part of a histogram, and OTLP sends histograms whole",
                "count the requests' spans, send a counter, or compare a bucket with a threshold: "
                "count - bucket{le=...}",
            )
    try:
        return CounterIndicator(total.service or service, None, good, bad, total.selector, total.group_by)
    except InvalidObjective as error:
        raise NotCarriedOver(str(error), "let error_query select some of total_query's series") from error


def _threshold(count: MetricSelector, bucket: MetricSelector) -> Decimal | None:
    """Return the boundary when *bucket* is a bucket of the histogram that *count* counts, None when it is not."""
    base = count.metric.removesuffix("_count")
    bounds = [value for name, value in bucket.attributes if name == "le"]
    rest = tuple(pair for pair in bucket.attributes if pair[0] != "le")
    if base == count.metric or bucket.metric != f"{base}_bucket" or len(bounds) != 1 or rest != count.attributes:
        return None
    try:
        bound = Decimal(bounds[0])
    except InvalidOperation:
        bound = Decimal("nan")
    if not bound.is_finite():
        raise NotCarriedOver(f'le="{bounds[0]}" is no boundary to compare with', 'write a number, such as le="0.3"')
    return bound


def _check_agreement(part: _Counted, total: _Counted) -> None:
    for name, mine, other in (
        ("job", part.service, total.service),
        ("grouping", part.group_by, total.group_by),
    ):
        if mine != other:
            raise NotCarriedOver(
                f"the two queries differ in their {name}: {mine or 'none'!s} and {other or 'none'!s}",
                f"write the same {name} in both",
            )


def _parsed(name: str, text: str) -> Expression:
    try:
        return _without_zero(parse_promql(text))
    except PromqlError as error:
        raise NotCarriedOver(f"{name} cannot be read: {error}", "write sum(rate(metric{...}[{{.window}}]))") from error


def _without_zero(expression: Expression) -> Expression:
    """Return *expression* without `or vector(0)`: no series counts as no events here anyway."""
    match expression:
        case Binary("or", left, Call("vector", (Number("0"),))):
            return _without_zero(left)
        case Binary("-", left, right, matching):
            return Binary("-", _without_zero(left), _without_zero(right), matching)
        case _:
            return expression


def _counted(expression: Expression, name: str) -> _Counted:
    """Return the selection of `sum(rate(metric{...}[{{.window}}]))`, in whose place *name* stands."""
    form = "write sum(rate(metric{...}[{{.window}}]))"
    match expression:
        case Aggregation("sum", (Call(function, (Selector() as selector,)),), grouping, labels):
            pass
        case Binary(operator, _, _, _):
            raise NotCarriedOver(f"{name} joins several queries with {operator!r}", "count one metric with one sum")
        case Aggregation(operator, _, _, _):
            raise NotCarriedOver(f"{name} is {operator} of something that is no single rate of a metric", form)
        case Call(function, _):
            raise NotCarriedOver(f"{name} is {function}(...) without sum: one ratio for each series", form)
        case _:
            raise NotCarriedOver(f"{name} counts no increases", form)
    if function not in _INCREASES:
        raise NotCarriedOver(f"{name} uses {function}, which is no count of events over the window", form)
    if selector.range != WINDOW:
        raise NotCarriedOver(f"{name} looks at [{selector.range}] whatever the window is", f"write [{WINDOW}]")
    if grouping == "without":
        raise NotCarriedOver(f"{name} groups by all labels but {', '.join(labels)}", "name the groups: sum by (...)")
    metric, service = _selection(selector, name)
    return _Counted(metric, service, labels)


def _selection(selector: Selector, name: str) -> tuple[MetricSelector, str]:
    """Return the series, and the service that `job` names ("" where there is none)."""
    metric, service, attributes = selector.metric, "", dict[str, str]()
    for matcher in selector.matchers:
        value = _exact(matcher, name)
        if matcher.label == "__name__" and not metric:
            metric = value
        elif matcher.label == "job":
            service = value.rpartition("/")[2]  # OpenTelemetry writes namespace/service as the job
        elif attributes.setdefault(matcher.label, value) != value:
            raise NotCarriedOver(f"{name} asks for two values of {matcher.label}", "keep one")
    if not metric:
        raise NotCarriedOver(f"{name} names no metric", "write metric{...}")
    return MetricSelector(metric, tuple(sorted(attributes.items()))), service


def _exact(matcher: Matcher, name: str) -> str:
    """Return the one value that *matcher* selects."""
    shown = f'{matcher.label}{matcher.op}"{matcher.value}"'
    exact = matcher.op == "=" or (matcher.op == "=~" and _PLAIN_VALUE.fullmatch(matcher.value) is not None)
    if not exact:
        raise NotCarriedOver(
            f"{name} selects with {shown}; counters are chosen by equal attributes only",
            "send a counter for these events alone, or with an attribute that is equal for all of them, or count spans",
        )
    if not matcher.value:
        raise NotCarriedOver(f"{name} selects with {shown}: series without the label", "name a value")
    return matcher.value
