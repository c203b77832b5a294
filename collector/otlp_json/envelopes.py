"""What lies around the items of a request (spans, data points, log records), and the count of items that are left out.

An invalid value inside an item costs that item. An invalid value of an envelope (an attribute of a resource, the name
of a metric) costs the items in it. Only a list or an object that is none at all costs the whole body.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from collector.errors import BadPayload
from collector.otlp_json.messages import field_names, message, message_without
from collector.otlp_json.scalars import InvalidValueError, NestedTooDeepError, Writer, shown
from collector.otlp_json.wire import LENGTH, sized, tag

ITEMS = frozenset(
    {
        "opentelemetry.proto.trace.v1.Span",
        "opentelemetry.proto.logs.v1.LogRecord",
        "opentelemetry.proto.metrics.v1.NumberDataPoint",
        "opentelemetry.proto.metrics.v1.HistogramDataPoint",
        "opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint",
        "opentelemetry.proto.metrics.v1.SummaryDataPoint",
    }
)


@dataclass(slots=True)
class Tally:
    """The items of one request.

    Attributes:
        total: Seen so far.
        accepted: Those of them that are written.
        reason: Why the first one that is left out is invalid, and where; empty while all are valid.
    """

    total: int = 0
    accepted: int = 0
    reason: str = ""

    def note(self, path: str, invalid: InvalidValueError) -> None:
        """Remember why something is left out.

        Raises:
            BadPayload: it is a reason to refuse the whole body.
        """
        fatal = isinstance(invalid, NestedTooDeepError)
        if fatal or not self.reason:
            self.reason = f"{path}{invalid}".lstrip(".")
        if fatal:
            raise BadPayload(self.reason)


Inner = Callable[[Any, str, Tally], bytes]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message around items.

    Attributes:
        own: Writer of the fields that belong to the envelope itself.
        inner: Writers of the fields that hold its items or lead to them, by key.
    """

    own: Writer
    inner: dict[str, Inner]

    def write(self, value: Any, path: str, tally: Tally) -> bytes | None:
        """Return the message, or None when its own fields are invalid: then all that it holds is left out.

        Raises:
            BadPayload: something is an object where a list belongs, or the like.
        """
        _expect(dict, value, path)
        accepted = tally.accepted
        parts = [
            write(value[key], f"{path}.{key}", tally) for key, write in self.inner.items() if value.get(key) is not None
        ]
        try:
            parts.append(self.own(value))
        except InvalidValueError as invalid:
            tally.note(path, invalid)
            tally.accepted = accepted
            return None
        return b"".join(parts)


@cache
def envelope(descriptor: Any) -> Envelope:
    """Return the envelope that *descriptor*, a request or a message between it and its items, describes."""
    inner = [field for field in descriptor.fields if _holds_items(field.message_type)]
    return Envelope(
        own=message_without(descriptor, frozenset(field.name for field in inner)),
        inner={name: _inner(field) for field in inner for name in field_names(field)},
    )


@cache
def _holds_items(descriptor: Any) -> bool:
    if descriptor is None or descriptor.full_name.startswith("opentelemetry.proto.common."):
        return False
    return descriptor.full_name in ITEMS or any(_holds_items(field.message_type) for field in descriptor.fields)


def _inner(field: Any) -> Inner:
    lead = tag(field.number, LENGTH)
    if field.message_type.full_name in ITEMS:
        return _items(lead, message(field.message_type))
    around = envelope(field.message_type)
    return _envelopes(lead, around) if field.is_repeated else _one_envelope(lead, around)


def _items(lead: bytes, item: Writer) -> Inner:
    def write(values: Any, path: str, tally: Tally) -> bytes:
        _expect(list, values, path)
        total, parts = len(values), []
        values.reverse()
        for index in range(total):
            value = values.pop()  # so that each item is freed while it is still in the CPU's cache
            try:
                parts.append(lead + sized(item(value)))
            except InvalidValueError as invalid:
                tally.note(path, invalid.below(index))
        tally.total += total
        tally.accepted += len(parts)
        return b"".join(parts)

    return write


def _envelopes(lead: bytes, around: Envelope) -> Inner:
    def write(values: Any, path: str, tally: Tally) -> bytes:
        _expect(list, values, path)
        written = [around.write(value, f"{path}[{index}]", tally) for index, value in enumerate(values)]
        return b"".join([lead + sized(each) for each in written if each is not None])

    return write


def _one_envelope(lead: bytes, around: Envelope) -> Inner:
    def write(value: Any, path: str, tally: Tally) -> bytes:
        written = around.write(value, path, tally)
        return b"" if written is None else lead + sized(written)

    return write


def _expect(kind: type, value: Any, path: str) -> None:
    if type(value) is not kind:
        expected = "a list" if kind is list else "an object"
        raise BadPayload(f"{path.lstrip('.') or 'the body'} is {shown(value)}, not {expected}")
