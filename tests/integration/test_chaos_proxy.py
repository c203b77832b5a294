"""The TCP proxy over real sockets."""

import asyncio
import os
import random
import time

import pytest

from chaos.address import Address
from chaos.proxy.proxy import Proxy
from chaos.proxy.toxic import LatencyAttributes, Toxic


def late(latency, *, name="slow", stream="downstream", toxicity=1.0, jitter=0):
    return Toxic(name, stream, LatencyAttributes(latency=latency, jitter=jitter), toxicity)


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # the proxy was taken down
    finally:
        writer.close()


def through_proxy(test):
    """Run *test(proxy, upstream)* with an enabled proxy in front of an echo server."""

    async def main():
        async with asyncio.timeout(15):
            upstream = await asyncio.start_server(echo, "127.0.0.1", 0)
            port = upstream.sockets[0].getsockname()[1]
            proxy = Proxy("edge", Address("127.0.0.1", 0), Address("127.0.0.1", port))
            await proxy.enable()
            try:
                await test(proxy, upstream)
            finally:
                await proxy.close()
                upstream.close()
                await asyncio.sleep(0.05)  # let the echo server see the end of its connections

    asyncio.run(main())


async def connect(proxy):
    return await asyncio.open_connection(proxy.listen.host, proxy.listen.port)


async def round_trip_s(reader, writer):
    began = time.perf_counter()
    writer.write(b"ping")
    assert await reader.readexactly(4) == b"ping"
    return time.perf_counter() - began


def test_latency_reaches_a_live_connection_and_leaves_it_again():
    """Added, changed and removed on one open connection, in both directions."""

    async def test(proxy, _):
        reader, writer = await connect(proxy)
        assert await round_trip_s(reader, writer) < 0.1
        proxy.put_toxic(late(200))
        proxy.put_toxic(late(100, name="up", stream="upstream"))
        assert 0.3 <= await round_trip_s(reader, writer) < 0.5
        proxy.put_toxic(late(50))
        assert 0.15 <= await round_trip_s(reader, writer) < 0.3
        proxy.remove_toxic("slow")
        proxy.remove_toxic("up")
        assert await round_trip_s(reader, writer) < 0.1
        writer.close()

    through_proxy(test)


def test_latency_counts_from_arrival_and_is_no_bandwidth_limit():
    """Chunks sent 20 ms apart are each late by 300 ms; they do not queue up behind each other."""

    async def test(proxy, _):
        proxy.put_toxic(late(300))
        reader, writer = await connect(proxy)
        sent, got = [], []

        async def send():
            for _ in range(10):
                sent.append(time.perf_counter())
                writer.write(b"x")
                await asyncio.sleep(0.02)

        sending = asyncio.create_task(send())
        for _ in range(10):
            await reader.readexactly(1)
            got.append(time.perf_counter())
        await sending
        delays = [after - before for before, after in zip(sent, got, strict=True)]
        assert min(delays) >= 0.299
        assert max(delays) < 0.4
        writer.close()

    through_proxy(test)


def test_nothing_is_lost_or_reordered_while_toxics_come_and_go():
    """Four megabytes pass unchanged through a proxy whose toxics change all the time."""

    async def test(proxy, _):
        payload = os.urandom(4 * 1024 * 1024)
        rng = random.Random(7)
        reader, writer = await connect(proxy)

        async def disturb():
            while True:
                proxy.put_toxic(late(rng.randrange(80), jitter=40, stream=rng.choice(["upstream", "downstream"])))
                await asyncio.sleep(0.01)
                proxy.remove_toxic("slow")

        async def send():
            for start in range(0, len(payload), 50_000):
                writer.write(payload[start : start + 50_000])
                await writer.drain()
            writer.write_eof()

        disturbing, sending = asyncio.create_task(disturb()), asyncio.create_task(send())
        received = await reader.read(-1)
        disturbing.cancel()
        await sending
        assert received == payload
        writer.close()

    through_proxy(test)


def test_removing_a_toxic_releases_what_it_held_at_once():
    """A chunk that waits for ten seconds arrives when the toxic goes."""

    async def test(proxy, _):
        proxy.put_toxic(late(10_000))
        reader, writer = await connect(proxy)
        writer.write(b"held")
        await asyncio.sleep(0.2)
        proxy.remove_toxic("slow")
        assert await asyncio.wait_for(reader.readexactly(4), 0.5) == b"held"
        writer.close()

    through_proxy(test)


def test_toxicity_is_drawn_once_a_connection():
    """0 never affects anybody, 0.5 affects some connections and each of them always."""

    async def test(proxy, _):
        proxy.put_toxic(late(30, toxicity=0.0))
        reader, writer = await connect(proxy)
        assert max([await round_trip_s(reader, writer) for _ in range(20)]) < 0.03
        writer.close()
        proxy.put_toxic(late(60, toxicity=0.5))
        affected = []
        for _ in range(24):
            reader, writer = await connect(proxy)
            trips = [await round_trip_s(reader, writer) >= 0.06 for _ in range(3)]
            assert len(set(trips)) == 1
            affected.append(trips[0])
            writer.close()
        assert 2 <= sum(affected) <= 22

    through_proxy(test)


def test_a_disabled_proxy_refuses_closes_live_connections_and_keeps_its_port():
    """Down and up again on the same port, twice."""

    async def test(proxy, _):
        port = proxy.listen.port
        for _ in range(2):
            reader, writer = await connect(proxy)
            await round_trip_s(reader, writer)
            await proxy.disable()
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            with pytest.raises(ConnectionRefusedError):
                await connect(proxy)
            writer.close()
            with pytest.raises(OSError, match="in use"):
                await asyncio.start_server(echo, "127.0.0.1", port)
            await proxy.enable()
            assert proxy.listen.port == port
            assert await proxy.answers()

    through_proxy(test)


def test_an_upstream_that_is_not_up_costs_the_connection_but_not_the_proxy():
    """The client sees a reset; when the upstream is there again, the proxy works."""

    async def test(proxy, upstream):
        address = upstream.sockets[0].getsockname()
        upstream.close()
        await upstream.wait_closed()
        reader, writer = await connect(proxy)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()
        revived = await asyncio.start_server(echo, *address)
        reader, writer = await connect(proxy)
        assert await round_trip_s(reader, writer) < 0.2
        writer.close()
        revived.close()

    through_proxy(test)
