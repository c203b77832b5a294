"""Faults of single requests: arms by trace id, baggage for both arms, the fault for treatment alone."""

import asyncio
import random
import time

import pytest

from chaos.daemon.world import World
from chaos.errors import FaultRefusedError
from chaos.faults import build_fault
from chaos.proxy.arms import arm_of
from chaos.wire import FaultRequest
from tests.integration.chaos_edge import GET, answer_of, ask, client, is_broken, over_edge, until

GROUPS = {"run": "late-1", "share": 0.3, "seed": "abc"}


def fault_on(proxy, kind, *, grouped=False, fault_id="f-1", **attributes):
    groups = GROUPS if grouped else None
    request = FaultRequest(kind=kind, target="edge", lease_ms=60_000, attributes=attributes, groups=groups)
    return build_fault(fault_id, request, World({"edge": proxy}))


def trace_in(arm):
    """Return the first of many trace ids that lies in *arm*."""
    rng = random.Random(1)
    found = (f"{rng.getrandbits(128):032x}" for _ in iter(int, 1))
    return next(trace for trace in found if arm_of(trace, seed="abc", share=0.3) == arm)


def get_in(arm, more=b""):
    return GET[:-2] + f"traceparent: 00-{trace_in(arm)}-00f067aa0ba902b7-01\r\n".encode() + more + b"\r\n"


async def seconds(proxy, request=GET):
    began = time.perf_counter()
    assert await ask(proxy, request) == 200
    return time.perf_counter() - began


def test_a_fault_with_groups_hits_treatment_and_marks_both_arms():
    """On one kept-alive connection: late are the requests of the treatment arm and no others."""

    async def test(proxy, upstream):
        await fault_on(proxy, "latency", grouped=True, latency=400).apply()
        requests = [get_in("treatment"), get_in("control"), get_in(None), GET, get_in("control", b"baggage: a=1\r\n")]
        took = []
        async with client(proxy) as (reader, writer):
            for request in requests:
                began = time.perf_counter()
                writer.write(request)
                assert (await answer_of(reader))[0] == 200
                took.append(time.perf_counter() - began)
        assert took[0] >= 0.4
        assert max(took[1:]) < 0.4
        marks = [head.lower().partition(b"baggage: ")[2].split(b"\r\n")[0].decode() for head in upstream.heads]
        assert marks == [
            "chaos.run=late-1,chaos.group=treatment",
            "chaos.run=late-1,chaos.group=control",
            "",
            "",
            "a=1,chaos.run=late-1,chaos.group=control",
        ]

    over_edge(test)


@pytest.mark.parametrize("traceparent", ["", "junk", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "ff" * 200])
def test_a_request_without_a_valid_trace_id_is_left_alone(traceparent):
    """It belongs to no arm: no fault, no baggage."""

    async def test(proxy, upstream):
        await fault_on(proxy, "http", grouped=True, status=503).apply()
        assert await ask(proxy, GET[:-2] + f"traceparent: {traceparent}\r\n\r\n".encode()) == 200
        assert b"baggage" not in upstream.heads[0]

    over_edge(test)


def test_latency_without_groups_delays_every_request_either_way():
    """The two directions add up; ending a fault lets go of the request that it holds."""

    async def test(proxy, _):
        back = fault_on(proxy, "latency", latency=200)
        there = fault_on(proxy, "latency", fault_id="f-2", latency=200, direction="upstream")
        await back.apply()
        assert 0.2 <= await seconds(proxy) < 0.4
        await there.apply()
        assert 0.4 <= await seconds(proxy) < 0.7
        assert await back.revert()
        assert await there.revert()
        assert await seconds(proxy) < 0.2
        held = fault_on(proxy, "latency", latency=60_000)
        await held.apply()
        waiting = asyncio.create_task(seconds(proxy))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await held.revert()
        assert await asyncio.wait_for(waiting, 0.5) < 1

    over_edge(test)


def test_injected_errors_are_told_apart_and_never_reach_the_server():
    """The status, the fault's id in a header, and the connection goes on, also after a body and for HEAD."""

    async def test(proxy, upstream):
        fault = fault_on(proxy, "http", status=503)
        await fault.apply()
        async with client(proxy) as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000))
            status, headers, body = await answer_of(reader)
            assert (status, headers["chaos-fault"]) == (503, "f-1")
            assert b"injected by fault f-1" in body
            writer.write(b"HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 503")
            assert upstream.heads == []
            assert await fault.revert()
            writer.write(GET)
            assert (await answer_of(reader))[0] == 200
            assert len(upstream.heads) == 1

    over_edge(test)


def test_a_client_that_waits_for_a_go_ahead_gets_the_injected_error_instead():
    """It need not send its body; the connection closes, since nobody can tell whether it will."""

    async def test(proxy, upstream):
        await fault_on(proxy, "http", status=503).apply()
        async with client(proxy) as (reader, writer):
            writer.write(b"PUT / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
            status, headers, _ = await answer_of(reader)
            assert (status, headers["connection"]) == (503, "close")
            assert await reader.read() == b""
        assert upstream.heads == []

    over_edge(test)


def test_a_share_of_the_requests_fails_and_the_same_seed_chooses_the_same():
    """Thirty per cent of two hundred, twice the same ones."""

    async def chosen(proxy, seed):
        fault = fault_on(proxy, "http", status=500, share=0.3, seed=seed)
        await fault.apply()
        async with client(proxy) as (reader, writer):
            found = []
            for _ in range(200):
                writer.write(GET)
                found.append((await answer_of(reader))[0])
        await fault.revert()
        return found

    async def test(proxy, _):
        first = await chosen(proxy, "x")
        assert 35 <= first.count(500) <= 85
        assert await chosen(proxy, "x") == first
        assert await chosen(proxy, "y") != first

    over_edge(test)


def test_matching_headers_decide_which_requests_fail():
    """All named headers must match; names do not care about case, values may hold wildcards."""

    async def test(proxy, _):
        await fault_on(proxy, "http", status=429, match={"X-Tier": "gold*", "x-user": "7"}).apply()
        assert await ask(proxy, GET[:-2] + b"x-tier: golden\r\nX-USER: 7\r\n\r\n") == 429
        assert await ask(proxy, GET[:-2] + b"x-tier: golden\r\nX-USER: 8\r\n\r\n") == 200
        assert await ask(proxy, GET[:-2] + b"x-tier: silver\r\nX-USER: 7\r\n\r\n") == 200
        assert await ask(proxy) == 200

    over_edge(test)


def test_aborted_requests_see_a_reset():
    """No answer, not even a tidy end of file; the server never saw the request."""

    async def test(proxy, upstream):
        await fault_on(proxy, "http", abort=True, delay_ms=50).apply()
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)
        assert upstream.heads == []

    over_edge(test)


@pytest.mark.parametrize("mode", ["refuse", "reset", "blackhole"])
@pytest.mark.parametrize("direction", ["both", "upstream", "downstream"])
def test_a_partition_of_the_treatment_arm_leaves_the_others_connected(mode, direction):
    """One way: the server has seen the request and its answer is lost; otherwise it has not seen it."""
    if (mode, direction) in {("refuse", "upstream"), ("refuse", "downstream")}:
        return

    async def test(proxy, upstream):
        fault = fault_on(proxy, "partition", grouped=True, mode=mode, direction=direction)
        await fault.apply()
        async with client(proxy) as (reader, writer):
            writer.write(get_in("treatment"))
            assert await ask(proxy, get_in("control")) == 200
            assert await ask(proxy) == 200
            if mode == "blackhole":
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.2)
                assert await fault.revert()
            assert await is_broken(reader)
        assert len(upstream.heads) == (3 if direction == "downstream" else 2)
        await fault.revert()
        assert await ask(proxy, get_in("treatment")) == 200

    over_edge(test)


def test_a_client_that_gives_up_in_a_blackhole_is_let_go():
    """Its connection to the server goes too; nothing waits for the end of the fault."""

    async def test(proxy, _):
        await fault_on(proxy, "partition", grouped=True, mode="blackhole").apply()
        async with client(proxy) as (_, writer):
            writer.write(get_in("treatment"))
            await asyncio.sleep(0.1)
        await until(lambda: not proxy._connections)

    over_edge(test)


@pytest.mark.parametrize(
    ("kind", "attributes", "reason"),
    [
        ("latency", {"latency": 5}, "protocol tcp"),
        ("partition", {}, "protocol tcp"),
        ("toxic", {"type": "latency", "name": "x"}, "cannot be kept to groups"),
    ],
)
def test_an_edge_that_carries_bytes_refuses_groups(kind, attributes, reason):
    """400, with what to change."""

    async def test(proxy, _):
        with pytest.raises(FaultRefusedError, match=reason) as refused:
            fault_on(proxy, kind, grouped=True, **attributes)
        assert refused.value.status == 400
        with pytest.raises(FaultRefusedError, match="set `protocol: http`"):
            fault_on(proxy, "http", status=500).check()

    over_edge(test, protocol="tcp")
