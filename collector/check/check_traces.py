"""The look at a traces request: ids of every span, names, and the size of spans in large bodies."""

from collections.abc import Iterator
from typing import Any

from collector.check.findings import Findings, counted
from collector.check.span_ids import ids_are_sound, names_are_plain

NO_TRACE = bytes(16)
NO_SPAN = bytes(8)
BAD_TRACE_ID = "without a trace id of 16 bytes that are not all zero"
BAD_SPAN_ID = "without a span id of 8 bytes that are not all zero"
ATTRIBUTES = 128
NAME_BYTES = 1_024
KEY_BYTES = 255
LARGE_SPAN_BYTES = 1_024
MAX_DROPPED = 2**32 - 1


def check_traces(request: Any, body: bytes) -> Findings:
    """Remove the spans with bad ids from *request* and cut what is too long; return what was found.

    Ids and names of every span are exact. Attributes are looked at only when the body has more than 1 KiB a span on
    average: looking costs more than all the rest, and below that they cannot do much harm. So a single span of more
    than 128 attributes, or a key of more than 255 bytes, passes in a body of otherwise small spans, and is stored as
    it came.

    Args:
        request: As `parse` returns it.
        body: What it was parsed from.
    """
    found = Findings("spans", sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans))
    if not ids_are_sound(body):
        _leave_out_bad_ids(request, found)
    if not names_are_plain(body):
        _look_at_names(request, found)
    if len(body) > LARGE_SPAN_BYTES * found.total:
        _look_at_attributes(request, found)
    first = next(_spans(request), None)
    found.doubtful = bool(found.total) and not (first and (first.start_time_unix_nano or first.end_time_unix_nano))
    return found


def _spans(request: Any) -> Iterator[Any]:
    return (span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans)


def _leave_out_bad_ids(request: Any, found: Findings) -> None:
    for group in request.resource_spans:
        for scope in group.scope_spans:
            bad = 0
            for span in scope.spans:
                if reason := _bad_id(span):
                    found.leave_out(reason, span.name)
                    bad += 1
            if bad:
                # stable, and linear where deleting one by one is quadratic
                scope.spans.sort(key=lambda span: bool(_bad_id(span)))
                del scope.spans[len(scope.spans) - bad :]


def _bad_id(span: Any) -> str:
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or trace_id == NO_TRACE:
        return BAD_TRACE_ID
    return BAD_SPAN_ID if len(span_id) != 8 or span_id == NO_SPAN else ""


def _look_at_names(request: Any, found: Findings) -> None:
    long = invalid = 0
    for span in _spans(request):
        name = span.name
        if len(name) > NAME_BYTES:
            long += 1
            span.name = cut(name, NAME_BYTES)
        if not name.isascii() and not _is_utf8(name):
            invalid += 1
    if long:
        found.warnings.append(f"{counted(long, 'span name')} cut to {NAME_BYTES:,} bytes")
        found.changed = True
    if invalid:
        found.warnings.append(f"{counted(invalid, 'span name')} not in UTF-8: what cannot be read is shown as U+FFFD")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _look_at_attributes(request: Any, found: Findings) -> None:
    crowded = long_keys = 0
    for span in _spans(request):
        attributes = span.attributes
        if len(attributes) > ATTRIBUTES:
            crowded += 1
            dropped = len(attributes) - ATTRIBUTES + span.dropped_attributes_count
            del attributes[ATTRIBUTES:]
            span.dropped_attributes_count = min(dropped, MAX_DROPPED)
        for attribute in attributes:
            if len(attribute.key) > KEY_BYTES:
                attribute.key = cut(attribute.key, KEY_BYTES)
                long_keys += 1
    if crowded:
        found.warnings.append(
            f"{counted(crowded, 'span')} with more than {ATTRIBUTES} attributes: the others count as dropped"
        )
    if long_keys:
        found.warnings.append(f"{counted(long_keys, 'attribute key')} cut to {KEY_BYTES} bytes")
    found.changed = found.changed or bool(crowded or long_keys)


def cut(text: bytes, size_bytes: int) -> bytes:
    """Return *text* in at most *size_bytes* bytes, without half a character at the end."""
    if len(text) <= size_bytes:
        return text
    end = size_bytes
    while end > size_bytes - 3 and text[end] & 0xC0 == 0x80:
        end -= 1
    return text[:end]
