"""Toxiproxy's toxics and our partitions over real sockets: what a client of a broken edge sees."""

import asyncio
import time

import pytest

from chaos.daemon.world import World
from chaos.faults import build_fault
from chaos.proxy.toxic import ATTRIBUTES, Toxic
from chaos.wire import FaultRequest
from tests.integration.chaos_edge import GET, OK, answer_of, ask, client, is_broken, over_edge, until

pytestmark = pytest.mark.slow

BIG = b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n" + bytes(30_000)


def toxic(kind, stream="downstream", toxicity=1.0, **attributes):
    return Toxic(kind, stream, ATTRIBUTES[kind](**attributes), toxicity, kind)


def fault_on(proxy, kind, **attributes):
    request = FaultRequest(kind=kind, target="edge", lease_ms=60_000, attributes=attributes)
    return build_fault("f-1", request, World({"edge": proxy}))


async def seconds(proxy):
    began = time.perf_counter()
    assert await ask(proxy) == 200
    return time.perf_counter() - began


def on_both_kinds_of_edge(test):
    """Toxics work on bytes, so an HTTP edge feels them just like a TCP edge."""
    return pytest.mark.parametrize("protocol", ["tcp", "http"])(test)


@on_both_kinds_of_edge
def test_bandwidth_latency_and_slicer_make_an_answer_late_and_keep_it_whole(protocol):
    """30 kB at 100 kB/s takes 0.3 s; 300 slices a millisecond apart as long."""

    async def test(proxy, _):
        assert await seconds(proxy) < 0.2
        for slow in (
            toxic("bandwidth", rate=100),
            toxic("slicer", average_size=100, delay=1000),
            toxic("latency", latency=300),
        ):
            proxy.put_toxic(slow)
            assert 0.25 <= await seconds(proxy) < 1
            proxy.remove_toxic(slow.name)
        assert await seconds(proxy) < 0.2

    over_edge(test, answer=BIG, protocol=protocol)


@on_both_kinds_of_edge
def test_limit_data_closes_after_so_many_bytes(protocol):
    """The client gets exactly the first bytes and then the end, on live connections too."""

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            assert (await answer_of(reader))[0] == 200
            proxy.put_toxic(toxic("limit_data", bytes=100))
            writer.write(GET)
            assert await reader.read() == BIG[:100]

    over_edge(test, answer=BIG, protocol=protocol)


@on_both_kinds_of_edge
def test_a_timeout_of_zero_is_a_blackhole_whose_removal_closes_the_connection(protocol):
    """Nothing comes, until the toxic goes and takes the stuck connection along; the next one works."""

    async def test(proxy, upstream):
        proxy.put_toxic(toxic("timeout"))
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.2)
            assert len(upstream.heads) == 1
            proxy.remove_toxic("timeout")
            assert await asyncio.wait_for(is_broken(reader), 1)
        assert await ask(proxy) == 200

    over_edge(test, protocol=protocol)


@on_both_kinds_of_edge
def test_a_timeout_closes_a_connection_on_which_nothing_happens(protocol):
    """200 ms after the last byte that vanished."""

    async def test(proxy, _):
        proxy.put_toxic(toxic("timeout", stream="upstream", timeout=200))
        async with client(proxy) as (reader, writer):
            began = time.perf_counter()
            writer.write(GET)
            assert await is_broken(reader)
            assert 0.2 <= time.perf_counter() - began < 0.6

    over_edge(test, protocol=protocol)


@on_both_kinds_of_edge
def test_reset_peer_resets_and_slow_close_holds_the_end_back(protocol):
    """RST instead of the answer; a connection that stays open for 200 ms after the server has closed it."""

    async def closing(_, writer, __):
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await writer.drain()
        writer.close()

    async def test(proxy, upstream):
        proxy.put_toxic(toxic("reset_peer"))
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1)
        assert len(upstream.heads) == 1
        proxy.remove_toxic("reset_peer")
        proxy.put_toxic(toxic("slow_close", delay=200))
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            await answer_of(reader)
            began = time.perf_counter()
            assert await reader.read() == b""
            assert 0.15 <= time.perf_counter() - began < 0.6

    over_edge(test, answer=closing, protocol=protocol)


def test_a_toxicity_of_zero_affects_nobody():
    """Not even by closing the connection when the toxic goes."""

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            for kind in ATTRIBUTES:
                proxy.put_toxic(toxic(kind, toxicity=0.0))
            writer.write(GET)
            assert (await answer_of(reader))[0] == 200
            for kind in ATTRIBUTES:
                proxy.remove_toxic(kind)
            writer.write(GET)
            assert (await answer_of(reader))[0] == 200

    over_edge(test, protocol="tcp")


@on_both_kinds_of_edge
@pytest.mark.parametrize("direction", ["both", "upstream", "downstream"])
def test_a_blackhole_swallows_one_direction_or_both_and_ends_with_the_connections_in_it(protocol, direction):
    """The server sees requests only when the way to it is open; reverting is seen by a probe."""

    async def test(proxy, upstream):
        fault = fault_on(proxy, "partition", mode="blackhole", direction=direction)
        await fault.apply()
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.2)
            assert len(upstream.heads) == (1 if direction == "downstream" else 0)
            assert await fault.revert()
            assert await asyncio.wait_for(is_broken(reader), 1)
        assert await ask(proxy) == 200

    over_edge(test, protocol=protocol)


@on_both_kinds_of_edge
def test_a_partition_by_reset_or_refusal(protocol):
    """Reset at the first byte; refused before there is a connection; live connections feel both."""

    async def test(proxy, _):
        for mode, error in (("reset", ConnectionResetError), ("refuse", ConnectionRefusedError)):
            fault = fault_on(proxy, "partition", mode=mode)
            async with client(proxy) as (reader, writer):
                writer.write(GET)
                await answer_of(reader)
                await fault.apply()
                writer.write(GET)
                assert await is_broken(reader)
            with pytest.raises(error):
                await ask(proxy)
            assert await fault.revert()
            assert await fault.revert()
            assert await ask(proxy) == 200

    over_edge(test, protocol=protocol)


def test_a_revert_is_verified_by_a_connection_that_reaches_the_server():
    """Not when the proxy's port is somebody else's by then; yes when it is the server that is gone, not the proxy."""

    async def test(proxy, upstream):
        fault = fault_on(proxy, "partition")
        await fault.apply()
        await proxy.close()
        async with await asyncio.start_server(lambda _, writer: writer.close(), proxy.listen.host, proxy.listen.port):
            assert await fault.revert() is False
        assert await fault.revert()
        before = upstream.connections
        assert await proxy.answers()
        await until(lambda: upstream.connections == before + 1)
        upstream.server.close()
        assert await fault.revert()

    over_edge(test, protocol="tcp")


@pytest.mark.parametrize("distribution", ["uniform", "normal", "pareto"])
def test_the_same_seed_draws_the_same_delays(distribution):
    """Request for request; another seed draws others."""

    async def drawn(proxy, seed):
        attributes = {"latency": 600, "jitter": 50, "distribution": distribution, "seed": seed}
        fault = fault_on(proxy, "latency", **attributes)
        await fault.apply()
        found = [proxy.requests.plan([]).effects[0][1].hold_s for _ in range(30)]
        assert await fault.revert()
        assert proxy.requests.plan([]).effects == ()
        return found

    async def test(proxy, _):
        first = await drawn(proxy, 7)
        assert await drawn(proxy, 7) == first
        assert await drawn(proxy, 8) != first
        assert len(set(first)) == 30

    over_edge(test)
