"""How many spans, data points or log records a body holds, before it is parsed.

Parsed, an empty span of 2 bytes takes about 170 bytes of memory, so a body that may hold too many items is walked
first. The walk looks only at the messages that lead to the items and skips everything else by its length.
"""

import re
from contextlib import suppress

from collector.errors import TooLarge

DEFAULT_ITEM_LIMIT = 100_000
NOUNS = {"traces": "spans", "metrics": "data points", "logs": "log records"}
REMEDIES = {
    "traces": "OTEL_BSP_MAX_EXPORT_BATCH_SIZE, or send_batch_max_size of an OpenTelemetry Collector",
    "metrics": "send_batch_max_size of an OpenTelemetry Collector",
    "logs": "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE, or send_batch_max_size of an OpenTelemetry Collector",
}
# field numbers from the request down to an item; the last ones are the items
PATHS: dict[str, tuple[frozenset[int], ...]] = {
    "traces": (frozenset({1}), frozenset({2}), frozenset({2})),
    "logs": (frozenset({1}), frozenset({2}), frozenset({2})),
    "metrics": (frozenset({1}), frozenset({2}), frozenset({2}), frozenset({5, 7, 9, 10, 11}), frozenset({1})),
}
# a body with fewer bytes an item than this cannot be what an exporter sends: a valid span alone has 30
SUSPICIOUS_BYTES = 3
# a metric with one point is walked through in 10 fields; the first envelopes take a few more
FIELDS_AN_ITEM = 10
FIELDS_BESIDES = 1_000
GROUP_LEVELS = 2
VARINT_BYTES = 10
WHOLE_VARINT = re.compile(rb"[\x80-\xff]{0,9}[\x00-\x7f]")
VARINT, FIXED64, LENGTH, GROUP_START, GROUP_END, FIXED32 = range(6)


class _MalformedError(Exception):
    """The count cannot go on."""


class Count:
    """The items found so far, and the fields walked through to find them."""

    def __init__(self, body: bytes, path: tuple[frozenset[int], ...], item_limit: int, field_limit: int) -> None:
        self.items = 0
        self.groups = 0  # resources and scopes around them, each of which the check looks at
        self.fields = 0
        self._body = body
        self._path = path
        self._item_limit = item_limit
        self._field_limit = field_limit

    @property
    def is_whole(self) -> bool:
        few_groups = self.groups <= GROUP_LEVELS * self._item_limit  # each item may have its own
        return few_groups and self.items <= self._item_limit and self.fields <= self._field_limit

    def message(self, position: int, end: int, depth: int) -> None:
        """Count the items in the message between *position* and *end*, *depth* levels down the path."""
        body, wanted = self._body, self._path[depth]
        is_last = depth == len(self._path) - 1
        while position < end and self.is_whole:
            self.fields += 1
            tag, position = body[position], position + 1
            if tag > 0x7F:
                tag, position = _varint(body, position - 1)
            if tag & 7 != LENGTH:
                position = _after_scalar(body, position, tag & 7)
                continue
            size, position = body[position], position + 1
            if size > 0x7F:
                size, position = _varint(body, position - 1)
            if position + size > end:
                raise _MalformedError
            if tag >> 3 in wanted:
                if is_last:
                    self.items += 1
                else:
                    self.groups += depth < GROUP_LEVELS
                    self.message(position, position + size, depth + 1)
            position += size


def refuse_too_many(signal: str, body: bytes, limit: int) -> None:
    """Raise TooLarge when *body* holds more than *limit* items; *body* is read only when it is large enough for that.

    What it lets through unread has at most 1.5 times the limit of (then empty) items.

    Raises:
        TooLarge: there are more items, or ten times as many fields around them.
    """
    if len(body) <= SUSPICIOUS_BYTES * limit:
        return
    count = count_items(signal, body, limit)
    if count.items > limit:
        raise too_many(signal, f"{count.items:,}" if count.is_whole else f"more than {2 * limit:,}", limit)
    if not count.is_whole:
        raise TooLarge(
            f"the request of {len(body):,} bytes has more than {2 * GROUP_LEVELS * limit:,} resources and scopes, or "
            f"{_field_limit(limit):,} fields, around its {NOUNS[signal]}; the limit of those is {limit:,}: "
            f"send smaller batches ({REMEDIES[signal]})"
        )


def too_many(signal: str, found: str, limit: int) -> TooLarge:
    """Return the refusal of a request with *found* items."""
    return TooLarge(
        f"the request holds {found} {NOUNS[signal]}; the limit is {limit:,}: send smaller batches ({REMEDIES[signal]})"
    )


def count_items(signal: str, body: bytes, limit: int) -> Count:
    """Return how many items *body* holds. Malformed bytes end the count: the parser refuses them there, too.

    The count ends early beyond twice the *limit*, or ten times as many fields: the time it may take is bounded.
    Fields in a group, which OTLP never has, count as if they stood outside it.
    """
    count = Count(body, PATHS[signal], 2 * limit, _field_limit(limit))
    with suppress(IndexError, _MalformedError):
        count.message(0, len(body), 0)
    return count


def _field_limit(limit: int) -> int:
    return FIELDS_AN_ITEM * limit + FIELDS_BESIDES


def _varint(body: bytes, position: int) -> tuple[int, int]:
    """Return the number of two or more bytes at *position*, and the position after it."""
    value, second = body[position] & 0x7F, body[position + 1]
    if second < 0x80:
        return value | second << 7, position + 2
    for shift in range(7, 7 * VARINT_BYTES, 7):
        position += 1
        byte = body[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + 1
    raise _MalformedError


def _after_scalar(body: bytes, position: int, wire_type: int) -> int:
    if wire_type == VARINT:
        found = WHOLE_VARINT.match(body, position)
        if not found:
            raise _MalformedError
        return found.end()
    if wire_type == FIXED64:
        return position + 8
    if wire_type == FIXED32:
        return position + 4
    if wire_type in {GROUP_START, GROUP_END}:
        return position
    raise _MalformedError
