"""The structure of an SLI: a ratio of metrics or a metric with a threshold, whatever its sources are."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from slo.openslo_document import Shelf, read_description
from slo.yaml_value import YamlFields, YamlValue

SOURCE_TYPES: Final = ("spans", "metrics", "cache")

_EXAMPLE: Final = "{metricSource: {type: spans, spec: {good: not error}}}"
_SIDES: Final = ("good", "bad", "total", "raw")


@dataclass(frozen=True, slots=True)
class MetricSource:
    """One `metricSource`: its type, where that is written, and what to read there."""

    type: str
    type_value: YamlValue
    spec: YamlValue

    @property
    def is_ours(self) -> bool:
        return self.type in SOURCE_TYPES


@dataclass(frozen=True, slots=True)
class RatioSli:
    """A part of a total; `sides` has some of good, bad, total and raw."""

    sides: dict[str, MetricSource]
    counter: YamlValue | None
    value: YamlValue


@dataclass(frozen=True, slots=True)
class ThresholdSli:
    """A metric that each objective compares with a value of its own."""

    source: MetricSource
    value: YamlValue


Sli: TypeAlias = RatioSli | ThresholdSli


def sources(sli: Sli) -> list[MetricSource]:
    """Return every metric source of *sli*."""
    return [sli.source] if isinstance(sli, ThresholdSli) else list(sli.sides.values())


def read_sli(spec: YamlValue, shelf: Shelf) -> Sli:
    """Return the SLI that the `spec` of an SLI or of an inline indicator describes.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    fields = spec.fields(("description", "ratioMetric", "thresholdMetric"))
    read_description(fields)
    ratio, threshold = fields.get("ratioMetric"), fields.get("thresholdMetric")
    if ratio is not None and threshold is not None:
        raise threshold.error("ratioMetric and thresholdMetric are both written; keep one")
    if threshold is not None:
        return ThresholdSli(_metric_source(threshold, shelf), threshold)
    return _ratio(fields.require("ratioMetric", f"{{good: {_EXAMPLE}, total: ...}}"), shelf)


def _ratio(value: YamlValue, shelf: Shelf) -> RatioSli:
    fields = value.fields(("counter", *_SIDES, "rawType"))
    counter = fields.get("counter")
    if counter is not None:
        counter.flag()
    given = {side: found for side in _SIDES if (found := fields.get(side)) is not None}
    _check_sides(value, fields, given)
    return RatioSli({side: _metric_source(found, shelf) for side, found in given.items()}, counter, value)


def _check_sides(value: YamlValue, fields: YamlFields, given: dict[str, YamlValue]) -> None:
    raw_type = fields.get("rawType")
    if "raw" in given:
        if len(given) > 1:
            raise given["raw"].error("raw is a ratio already; remove good, bad and total, or raw")
        if fields.require("rawType", "success").choice(("success", "failure")) is None:
            raise fields.require("rawType", "success").error("rawType must be success or failure")
        return
    if raw_type is not None:
        raw_type.deviate("rawType has a use with raw only; remove it")
    if "good" not in given and "bad" not in given:
        raise value.error(f"ratioMetric needs either good or bad beside total; write good: {_EXAMPLE}")
    if "good" in given and "bad" in given:
        if "total" in given:
            raise given["bad"].error("good, bad and total are all written; keep total and either good or bad")
        given["bad"].deviate("good and bad without total is not OpenSLO; write total and either good or bad")
    elif "total" not in given:
        raise value.error("total is missing; write total: {metricSource: {type: spans, spec: {}}}")


def _metric_source(value: YamlValue, shelf: Shelf) -> MetricSource:
    source = value.fields(("metricSource",)).require("metricSource", "{type: spans, spec: {}}")
    fields = source.fields(("metricSourceRef", "type", "spec"))
    reference, kind = fields.get("metricSourceRef"), fields.get("type")
    spec = fields.require("spec", "{}")
    if reference is None:
        kind = fields.require("type", "spans")
        return MetricSource(_type(kind), kind, spec)
    if kind is None:
        data_source = shelf.find("DataSource", reference)
    elif (found := shelf.find_unused("DataSource", reference)) is not None:
        data_source = found
    else:
        return MetricSource(_type(kind), kind, spec)
    referred = _type(data_source.spec.fields(None).require("type", "spans"))
    if kind is not None and _type(kind) != referred:
        raise kind.error(f"type {kind.text()!r} is not that of {reference.text()!r}, which is {referred!r}; remove it")
    return MetricSource(referred, kind or reference, spec)


def _type(value: YamlValue) -> str:
    """Return the type of a source; other programs have types of their own."""
    return value.choice(SOURCE_TYPES) or value.text()
