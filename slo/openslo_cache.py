"""Metric sources of type cache: lookups, of which hits are good."""

from slo.indicator import CacheIndicator
from slo.openslo_fields import COMMON, read_environment, read_filter, read_groups, read_service
from slo.openslo_sli import MetricSource, RatioSli

_FIELDS = (*COMMON, "cache", "filter")


def read_cache_ratio(sli: RatioSli, service: str) -> CacheIndicator:
    """Return the indicator of a hit ratio: the good side is its hits, the bad one its misses, both of the same lookups.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    read = [(source.spec, _lookups(source, service)) for source in sli.sides.values()]
    (spec, indicator) = read[0]
    for other_spec, other in read[1:]:
        if other != indicator:
            raise spec.error(
                f"{spec.path} and {other_spec.path} differ; write the same in both: a hit is good by itself"
            )
    return indicator


def _lookups(source: MetricSource, service: str) -> CacheIndicator:
    fields = source.spec.fields(_FIELDS, ours=True)
    return CacheIndicator(
        service=read_service(fields, service),
        environment=read_environment(fields),
        cache=fields.text("cache"),
        filter=read_filter(fields),
        group_by=read_groups(fields),
    )
