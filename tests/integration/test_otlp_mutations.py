"""Case 46: valid bodies with random damage. Only 200 and 400 come back, and whatever is accepted is stored."""

import gzip
import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import grpc
import pytest

from collector.transport.otlp_grpc import SERVICES
from tests.integration.otlp_bodies import (
    OTLP,
    SIGNALS,
    json_logs,
    json_point,
    json_points,
    json_span,
    json_traces,
    rich,
)
from tests.integration.otlp_process import BEARER, Resident
from tests.integration.otlp_stack import TABLES
from tests.receivers import JSON, PROTOBUF, stored

pytestmark = pytest.mark.slow

SENDERS = 4
BOUNDED_BYTES = 120 << 20  # a new process first grows to what it needs under load
FLAT_BYTES = 30 << 20


@dataclass(frozen=True)
class Mutant:
    signal: str
    body: bytes
    kind: str = PROTOBUF
    packed: bool = False


def flip(rng, body):
    found = bytearray(body)
    for _ in range(rng.choice([1, 1, 2, 8])):
        found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def overwrite(rng, body):
    found = bytearray(body)
    for _ in range(rng.choice([1, 3])):
        found[rng.randrange(len(found))] = rng.choice([0, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(found)


def cut(rng, body):
    return body[: rng.randrange(len(body))]


def delete(rng, body):
    start, end = span_of(rng, body)
    return body[:start] + body[end:]


def double(rng, body):
    start, end = span_of(rng, body)
    return body[:end] + body[start:end] * rng.choice([1, 1, 5]) + body[end:]


def insert(rng, body):
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.randbytes(rng.randrange(1, 9)) + body[at:]


def splice(rng, body):
    """Join the start of one body with the end of another one."""
    other = rich(rng.choice(SIGNALS))
    return body[: rng.randrange(len(body))] + other[rng.randrange(len(other)) :]


def noise(rng, _body):
    return rng.randbytes(rng.randrange(1, 65))


def span_of(rng, body):
    start = rng.randrange(len(body))
    return start, min(len(body), start + rng.choice([1, 2, 8, 40]))


DAMAGES = (flip, flip, overwrite, cut, delete, double, insert, splice, noise)


def json_body(signal, rng):
    if signal == "traces":
        value = {"key": "k", "value": {"arrayValue": {"values": [{"intValue": "5"}, {"stringValue": "x"}]}}}
        return json_traces(json_span(attributes=[value]), json_span(events=[{"name": "e", "timeUnixNano": "5"}]))
    if signal == "metrics":
        buckets = {"count": "3", "bucketCounts": ["1", 2], "explicitBounds": [1.5], "asDouble": None}
        return (
            json_points(json_point(), json_point(asInt=str(rng.randrange(99)), asDouble=None))
            if rng.random() < 0.5
            else (json_points(json_point(**buckets), kind="histogram"))
        )
    return json_logs({"body": {"stringValue": "x"}, "timeUnixNano": str(OTLP.ago_ns(seconds=9)), "severityNumber": 9})


def replace_value(rng, body):
    """Put an odd value in the place of a random one, so that the JSON stays JSON."""
    root = json.loads(body)
    node, steps = root, rng.randrange(1, 12)
    for _ in range(steps):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = rng.choice(keys)
        if not isinstance(node[key], dict | list) or rng.random() < 0.1:
            node[key] = rng.choice([None, True, -1, 1.5, "", "x", [], {}, [{}], 2**64, "-1", "NaN", "z" * 32, 2**63])
            break
        node = node[key]
    return json.dumps(root).encode()


def mutants(seed, count):
    """Yield damaged requests of all signals, in both encodings, some of them compressed before or after the damage."""
    rng = random.Random(seed)
    for number in range(count):
        signal, kind = SIGNALS[number % 3], rng.choice([PROTOBUF, PROTOBUF, JSON])
        body = json_body(signal, rng) if kind == JSON else rich(signal)
        damage = rng.choice([*DAMAGES, replace_value, replace_value, replace_value] if kind == JSON else DAMAGES)
        form = rng.choice(["plain", "plain", "plain", "packed", "torn"])
        if form == "torn":
            yield Mutant(
                signal, damage(rng, gzip.compress(body)) if damage is not replace_value else b"", kind, packed=True
            )
        else:
            damaged = damage(rng, body)
            packed = form == "packed"
            yield Mutant(signal, gzip.compress(damaged) if packed else damaged, kind, packed)


def send_all(collector, found):
    """Send each and return how often each status came back."""
    headers, counts = {"Authorization": BEARER}, {}
    with closing(collector.receiver.connect()) as connection:
        for mutant in found:
            more = {"Content_Type": mutant.kind, "Content_Encoding": "gzip" if mutant.packed else None}
            path = f"/v1/{mutant.signal}"
            status, _, _ = collector.receiver.send(mutant.body, path=path, connection=connection, **headers, **more)
            counts[status] = counts.get(status, 0) + 1
            assert status in {200, 400}, (status, mutant)
    return counts


def hurt(collector, seed, count):
    """Send *count* damaged requests over some connections; whatever was accepted must be stored or put aside."""
    accepted = {signal: collector.accepted(signal) for signal in SIGNALS}
    rows = {signal: stored_rows(collector, signal) for signal in SIGNALS}
    made = list(mutants(seed, count))
    with ThreadPoolExecutor(SENDERS) as pool:
        counts = list(pool.map(lambda start: send_all(collector, made[start::SENDERS]), range(SENDERS)))
    assert all(each.keys() == {200, 400} for each in counts), "some of the damage is harmless"
    collector.settle()
    for signal in SIGNALS:
        stored_now = stored_rows(collector, signal) - rows[signal]
        assert stored_now == collector.accepted(signal) - accepted[signal] > 0, signal
    assert collector.dead_letters() == []
    assert collector.post(OTLP.traces(OTLP.span())) == 200
    collector.settle()


def stored_rows(collector, signal):
    return sum(stored(collector.database, table) for table in TABLES[signal])


def test_a_thousand_damaged_requests_are_answered_200_or_400_and_all_that_is_accepted_is_stored(collector_process):
    with Resident(collector_process) as memory:
        hurt(collector_process, seed=1, count=1000)
    assert memory.grown < BOUNDED_BYTES


def test_damaged_messages_over_grpc_are_ok_or_an_invalid_argument(collector_process):
    wanted = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
    found = [mutant for mutant in mutants(2, 150) if mutant.kind == PROTOBUF and not mutant.packed]
    with grpc.insecure_channel(f"127.0.0.1:{collector_process.grpc_port}") as channel:
        calls = [export(channel, mutant) for mutant in found]
        assert {call.code() for call in calls} == wanted
    collector_process.settle()
    assert collector_process.dead_letters() == []


def export(channel, mutant):
    method = f"/{SERVICES[mutant.signal]}/Export"
    return channel.unary_unary(method).future(mutant.body, timeout=20, metadata=[("authorization", BEARER)])


@pytest.mark.long
def test_ten_thousand_damaged_requests_of_several_seeds_leave_the_memory_flat(collector_process):
    for seed in (100, 101):  # so that everything that is kept for good is there
        hurt(collector_process, seed, count=1000)
    before = collector_process.rss()
    for seed in range(102, 112):
        hurt(collector_process, seed, count=1000)
    assert collector_process.rss() - before < FLAT_BYTES
