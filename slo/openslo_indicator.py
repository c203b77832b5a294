"""What an objective counts: the indicator that an SLI and our metric sources describe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from slo.budgeting import Budgeting
from slo.indicator import Indicator
from slo.openslo_cache import read_cache_ratio
from slo.openslo_metrics import read_counter_ratio, read_metric_threshold
from slo.openslo_sli import RatioSli, Sli
from slo.openslo_spans import read_span_ratio, read_span_threshold
from slo.openslo_threshold import Threshold

_RATIOS: Final[dict[str, Callable[[RatioSli, str], Indicator]]] = {
    "spans": read_span_ratio,
    "metrics": read_counter_ratio,
    "cache": read_cache_ratio,
}


@dataclass(frozen=True, slots=True)
class Counted:
    """An indicator, and the floor that its measure is: None where the objective's budgeting method decides."""

    indicator: Indicator
    floor: Budgeting | None = None


def read_counted(sli: Sli, service: str, threshold: Threshold | None) -> Counted:
    """Return what *sli* counts for an objective of *service*; *threshold* is that of the objective.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    if isinstance(sli, RatioSli):
        return Counted(_ratio(sli, service))
    if threshold is None:
        raise sli.value.error("a thresholdMetric needs op and value in every objective; write op: lte, value: 300")
    match sli.source.type:
        case "spans":
            return Counted(*read_span_threshold(sli.source, service, threshold))
        case "metrics":
            return Counted(read_metric_threshold(sli.source, service, threshold))
        case _:
            raise sli.source.type_value.error("a cache has no thresholdMetric; write a ratioMetric of good and total")


def _ratio(sli: RatioSli, service: str) -> Indicator:
    raw = sli.sides.get("raw")
    if raw is not None:
        raise raw.type_value.error("a ratio that was computed before has no counts to sum; write good and total")
    (kind, *others) = {source.type for source in sli.sides.values()}
    if others:
        raise sli.value.error("the sides of the ratio have different types of metric sources; write the same in both")
    return _RATIOS[kind](sli, service)
