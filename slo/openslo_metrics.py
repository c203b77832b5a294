"""Metric sources of type metrics: counters as a ratio, histograms and gauges with a threshold."""

from typing import Final

from slo.errors import InvalidObjective
from slo.indicator import CounterIndicator, GaugeIndicator, GaugeOperator, HistogramIndicator, MetricSelector
from slo.openslo_fields import COMMON, read_environment, read_groups, read_service
from slo.openslo_sli import MetricSource, RatioSli
from slo.openslo_threshold import Threshold
from slo.yaml_value import YamlFields, YamlValue

INSTRUMENTS: Final = ("counter", "histogram", "gauge")

_FIELDS: Final = (*COMMON, "metric", "attributes", "instrument")
_SYMBOLS: Final[dict[str, GaugeOperator]] = {"lte": "<=", "lt": "<", "gte": ">=", "gt": ">"}


def read_counter_ratio(sli: RatioSli, service: str) -> CounterIndicator:
    """Return the indicator of a ratio of counters.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    if sli.counter is not None and not sli.counter.flag():
        sli.counter.deviate("counter is false, yet the metrics are read as counters; write counter: true")
    sides = {side: source.spec.fields(_FIELDS, ours=True) for side, source in sli.sides.items()}
    for fields in sides.values():
        _check_instrument(fields)
    (first, *others) = sides.values()
    for other in others:
        _check_agreement(first, other, service)
    try:
        return CounterIndicator(
            service=read_service(first, service),
            environment=read_environment(first),
            **{side: _selector(fields) for side, fields in sides.items()},
            group_by=read_groups(first),
        )
    except InvalidObjective as error:
        raise sli.value.error(str(error)) from error


def read_metric_threshold(
    source: MetricSource, service: str, threshold: Threshold
) -> HistogramIndicator | GaugeIndicator:
    """Return the indicator of a histogram's or a gauge's values.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    fields = source.spec.fields(_FIELDS, ours=True)
    instrument = fields.require("instrument", "histogram")
    common = (read_service(fields, service), read_environment(fields), _selector(fields))
    groups, value = read_groups(fields), threshold.value.number()
    match instrument.choice(INSTRUMENTS):
        case "histogram":
            if threshold.operator(("lte", "lt"), "a value is good when it is at most the threshold") == "lt":
                threshold.op.deviate("op lt is read as lte: the buckets of a histogram include their upper bound")
            return HistogramIndicator(*common, value, groups)
        case "gauge":
            return GaugeIndicator(*common, _SYMBOLS[threshold.operator(tuple(_SYMBOLS), "")], value, groups)
        case _:
            raise instrument.error("a thresholdMetric compares the values of a histogram or a gauge; write one of them")


def _check_instrument(fields: YamlFields) -> None:
    instrument = fields.get("instrument")
    if instrument is not None and instrument.choice(INSTRUMENTS) != "counter":
        raise instrument.error(f"a ratioMetric is made of counters, not of a {instrument.text()}; write counter")


def _selector(fields: YamlFields) -> MetricSelector:
    attributes = fields.get("attributes")
    wanted = {} if attributes is None else attributes.fields(None).values
    pairs = tuple(sorted((name, _attribute(value)) for name, value in wanted.items()))
    return MetricSelector(fields.require("metric", "http.server.requests").text(), pairs)


def _attribute(value: YamlValue) -> str:
    """Return an attribute's value as the text it is compared as."""
    return value.text(empty=True) if value.is_text else value.scalar()


def _check_agreement(mine: YamlFields, other: YamlFields, service: str) -> None:
    pairs = {
        "service": (read_service(mine, service), read_service(other, service)),
        "environment": (read_environment(mine), read_environment(other)),
        "group_by": (read_groups(mine), read_groups(other)),
    }
    for name, (one, two) in pairs.items():
        if one != two:
            raise mine.owner.error(f"{mine.owner.path} and {other.owner.path} differ in {name}; write the same in both")
