"""Mutated and damaged OTLP/JSON: never anything but BadPayload comes out, and a result always parses."""

import random
from copy import deepcopy

import orjson
import pytest

from collector.check.check import check
from collector.errors import BadPayload
from collector.otlp_json.encode import encode
from tests.unit.otlp_json_requests import (
    NANOS,
    REQUESTS,
    SPAN_ID,
    TRACE_ID,
    body_of,
    gauge,
    logs,
    metrics,
    nested,
    span,
    traces,
)

JUNK = [
    None, True, False, 0, -1, 1.5, 2**63, 2**64, 1e308, "", "x", "0", "-1", "NaN", "\N{CAT FACE}", [], {}, [[]], [None],
    [1], {"": 1}, {"values": [{}]}, {"key": "k"}, {"stringValue": "v"}, TRACE_ID, str(2**64), "A" * 300,
]  # fmt: skip


def full_requests():
    """Return a request of each signal in which every kind of field is set."""
    value = nested(1, 1, {"intValue": "1"})
    pairs = [
        {"key": "k", "value": value},
        {"key": "b", "value": {"bytesValue": "AA=="}},
        {"key": "d", "value": {"doubleValue": 1.5}},
    ]
    link = {"traceId": TRACE_ID, "spanId": SPAN_ID, "attributes": pairs, "flags": 1}
    event = {"timeUnixNano": str(NANOS), "name": "e", "attributes": pairs}
    one = span(kind=2, startTimeUnixNano=str(NANOS), attributes=pairs, links=[link], events=[event], status={"code": 2})
    point = {
        "timeUnixNano": NANOS,
        "asInt": "1",
        "attributes": pairs,
        "exemplars": [{"asDouble": 1, "spanId": SPAN_ID}],
    }
    histogram = {"count": "2", "sum": 1.5, "bucketCounts": ["1", "1"], "explicitBounds": [0.5]}
    exponential = {"count": 2, "scale": 3, "zeroCount": 1, "positive": {"offset": -1, "bucketCounts": [1]}}
    summary = {"count": 1, "sum": 2, "quantileValues": [{"quantile": 0.5, "value": 1}]}
    kinds = {"histogram": histogram, "exponentialHistogram": exponential, "summary": summary}
    each = [gauge(point), *({"name": kind, kind: {"dataPoints": [data, data]}} for kind, data in kinds.items())]
    record = {"body": value, "severityNumber": 9, "attributes": pairs, "traceId": TRACE_ID, "spanId": SPAN_ID}
    resource = {"attributes": pairs, "entityRefs": [{"type": "t", "idKeys": ["k"]}]}
    return {
        "traces": traces(one, span(), resource=resource, schemaUrl="https://example.com"),
        "metrics": metrics(*each),
        "logs": logs(record, record),
    }


def places(value):
    """Return every (container, key) in *value*."""
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in keys for place in [(value, key), *places(each)]]


def mutate(request, dice):
    for _ in range(dice.randint(1, 3)):
        found = places(request)
        if not found:
            return
        container, key = dice.choice(found)
        other, other_key = dice.choice(found)
        change = dice.randrange(4)
        if change == 0:
            del container[key]
        elif change == 1:
            container[key] = deepcopy(other[other_key])
        elif change == 2 and isinstance(container, list):
            container.insert(key, deepcopy(dice.choice(JUNK)))
        else:
            container[key] = deepcopy(dice.choice(JUNK))


def encoded_or_refused(signal, body):
    """Encode *body*; whatever comes out must be readable. Anything but BadPayload fails the test."""
    try:
        encoded = encode(signal, body)
    except BadPayload as refusal:
        encoded, message = None, str(refusal)
    else:
        REQUESTS[signal].FromString(encoded.data)
        message = encoded.message
        assert bool(encoded.rejected) <= bool(message)
    assert len(message) < 700
    return encoded


@pytest.mark.parametrize("signal", REQUESTS)
def test_of_mutated_requests_only_bad_payload_comes_out_and_the_result_always_parses(signal):
    dice = random.Random(signal)
    full = full_requests()[signal]
    assert not encode(signal, full).message
    outcomes = []
    for _ in range(600):
        request = orjson.loads(full)
        mutate(request, dice)
        outcomes.append(encoded_or_refused(signal, body_of(request)))
    assert any(each is None for each in outcomes)
    assert any(each and each.rejected for each in outcomes)
    assert any(each and not each.rejected for each in outcomes)


@pytest.mark.parametrize("signal", REQUESTS)
def test_of_damaged_bytes_only_bad_payload_comes_out_and_the_result_always_parses(signal):
    dice = random.Random(signal)
    full = full_requests()[signal]
    for _ in range(600):
        body = bytearray(full)
        for _ in range(dice.randint(1, 4)):
            body[dice.randrange(len(body))] = dice.choice(b'{}[]",:0-e.\\tn\x00\xff')
        encoded_or_refused(signal, bytes(body))


def test_what_comes_out_passes_the_check_of_protobuf_requests():
    encoded = encode("traces", traces(span(), span(spanId="x"), span(traceId="00" * 16)))
    checked = check("traces", encoded.data)
    assert (encoded.rejected, checked.rejected, checked.accepted) == (1, 1, 1)
