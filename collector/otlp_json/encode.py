"""OTLP/JSON to the protobuf bytes of the same request, the one form that is checked and stored."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.errors import BadPayload
from collector.otlp_json.envelopes import Tally, envelope
from collector.otlp_json.scalars import shown

REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
ITEM_NAMES = {"traces": "spans", "metrics": "data points", "logs": "log records"}
# about 300 MB of Python objects; 16 MB of usual OTLP/JSON hold half as many
MOST_CONTAINERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request in protobuf.

    Attributes:
        data: The bytes of the Export...ServiceRequest, without the items that are invalid.
        rejected: Spans, data points or log records left out.
        message: Why, or a warning when none is left out; empty when all is well.
    """

    data: bytes
    rejected: int = 0
    message: str = ""


def encode(signal: str, body: bytes) -> Encoded:
    """Return the protobuf form of an OTLP/JSON request of *signal* ("traces", "metrics" or "logs").

    Raises:
        BadPayload: *body* is no JSON object, belongs to another signal, has an object where a list of items belongs or
            the like, nests an attribute deeper than protobuf reads, or has items none of which is valid.
    """
    with _no_garbage_collection():
        return _encoded(signal, body)


def _encoded(signal: str, body: bytes) -> Encoded:
    request, tally = _parsed(body), Tally()
    around = envelope(REQUESTS[signal].DESCRIPTOR)
    data = around.write(request, "", tally) or b""
    if not around.inner.keys() & request.keys():
        return Encoded(data, message=_nothing_of(signal, request))
    if not tally.reason:
        return Encoded(data)
    items = f"{tally.total} {ITEM_NAMES[signal]}"
    if not tally.accepted:
        raise BadPayload(f"nothing of the body is valid ({items}), first: {tally.reason}")
    rejected = tally.total - tally.accepted
    return Encoded(data, rejected, f"{rejected} of {items} left out, first: {tally.reason}")


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause the collector of cycles, of which a parsed request has none.

    Its thousands of objects would start collections of everything else in the process: 30 % of the time of a request
    in a process with 400,000 objects. Of two threads in here, the first to leave ends the pause for both.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _parsed(body: bytes) -> dict[str, Any]:
    _refuse_too_many_containers(body)
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadPayload(f"the body is not JSON: {error} ({len(body)} bytes)") from None
    if type(request) is not dict:
        raise BadPayload(f"the body is {shown(request)}, not an object")
    return request


def _refuse_too_many_containers(body: bytes) -> None:
    """Refuse a body that takes a hundred bytes of memory for each of its own; braces in strings count as well."""
    if len(body) > 2 * MOST_CONTAINERS and (found := body.count(b"{") + body.count(b"[")) > MOST_CONTAINERS:
        raise BadPayload(f"the body has {found} objects and lists, more than {MOST_CONTAINERS}: send smaller batches")


def _nothing_of(signal: str, request: dict[str, Any]) -> str:
    """Return a warning for a body with keys, all unknown: they are ignored, but the sender should hear of it.

    Raises:
        BadPayload: it is a request of another signal.
    """
    for other, kind in REQUESTS.items():
        if found := envelope(kind.DESCRIPTOR).inner.keys() & request.keys():
            raise BadPayload(f"the body has {found.pop()}: send it to /v1/{other}, this is /v1/{signal}")
    expected = REQUESTS[signal].DESCRIPTOR.fields[0].json_name
    return (
        f"the body has no {expected}, so nothing was stored; its first key is {shown(next(iter(request)))}"
        if request
        else ""
    )
