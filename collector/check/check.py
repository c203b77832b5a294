"""The one look that Python takes at a request: is it well formed, what is inside, what of it can be stored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from collector.check.check_logs import check_logs
from collector.check.check_metrics import check_metrics
from collector.check.check_traces import check_traces
from collector.check.findings import Findings
from collector.check.item_limit import DEFAULT_ITEM_LIMIT, refuse_too_many, too_many
from collector.check.mistaken import hint, signal_like
from collector.check.parse import canonical, parse
from collector.check.services import service_names
from collector.errors import BadPayload

__all__ = ["Checked", "canonical", "check", "parse"]

_LOOKS: dict[str, Callable[[Any, bytes], Findings]] = {
    "traces": check_traces,
    "metrics": check_metrics,
    "logs": check_logs,
}
_GROUPS = {"traces": "resource_spans", "metrics": "resource_metrics", "logs": "resource_logs"}


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that may be stored.

    Attributes:
        data: The bytes to store: the body as it came, or without what cannot be stored.
        accepted: Spans, data points or log records in *data*.
        rejected: Those left out, reported to the client as a partial success.
        message: Why something was left out, or a warning about what was altered; "" when all is well.
        services: The names of the services in the request.
    """

    data: bytes
    accepted: int
    rejected: int = 0
    message: str = ""
    services: frozenset[str] = frozenset()


def check(signal: str, body: bytes, *, item_limit: int = DEFAULT_ITEM_LIMIT) -> Checked:
    """Check one uncompressed OTLP request of *signal* ("traces", "metrics" or "logs").

    Raises:
        BadPayload: the bytes are no such request, or nothing in it can be stored.
        TooLarge: it holds more than *item_limit* spans, data points or log records.
    """
    refuse_too_many(signal, body, item_limit)
    try:
        request = parse(signal, body)
    except BadPayload as error:
        raise BadPayload(f"{error}{hint(signal, body, item_limit)}") from error
    return _checked(signal, body, request, item_limit)


def _checked(signal: str, body: bytes, request: Any, item_limit: int) -> Checked:
    services = service_names(getattr(request, _GROUPS[signal]))
    found = _LOOKS[signal](request, body)
    if found.total > item_limit:
        raise too_many(signal, f"{found.total:,}", item_limit)
    if found.doubtful and (other := signal_like(signal, body, item_limit)):
        raise BadPayload(f"the body looks like {other}; send it to /v1/{other}")
    if found.total and found.rejected == found.total:
        raise BadPayload(f"none of the {found.total:,} {found.noun} can be stored: {found.reasons()}")
    data = request.SerializeToString() if found.changed else body
    return Checked(data, found.total - found.rejected, found.rejected, found.message(), services)
