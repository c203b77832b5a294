"""HTTP edges and peers that break off, talk nonsense or do not listen: nothing is made up, nothing piles up."""

import asyncio
import resource

import httpx
import pytest

from chaos.proxy.reader import BUFFER_BYTES
from tests.integration.chaos_edge import GET, OK, answer_of, ask, client, digest_answer, is_broken, over_edge, until


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"\x00\x01 no http \xff\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
)
def test_a_response_that_is_not_whole_is_a_broken_connection(answer):
    """Closed without an answer, in its head, in its body, nonsense: no client takes it for complete."""

    async def break_off(_, writer, __):
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def test(proxy, upstream):
        async with httpx.AsyncClient(trust_env=False) as http:
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await http.get(f"http://{proxy.listen}/")
        upstream.answer = OK
        assert await ask(proxy) == 200

    over_edge(test, answer=break_off)


def test_an_upstream_that_is_down_is_a_broken_connection_and_no_made_up_answer():
    """Reset without a byte; when the upstream is there again, the edge works."""

    async def test(proxy, upstream):
        address = upstream.server.sockets[0].getsockname()
        upstream.server.close()
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            assert await is_broken(reader)
        revived = await asyncio.start_server(upstream.serve, *address)
        assert await ask(proxy) == 200
        revived.close()

    over_edge(test)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x00\x01\x02\xff garbage\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: shop\r\nNo colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: shop\r\nX: " + b"y" * 140_000 + b"\r\n\r\n", 431),
    ],
)
def test_a_request_that_is_no_http_is_refused_with_the_reason_and_never_passed_on(sent, status):
    """The client is told, its connection closed, and the upstream has seen nothing."""

    async def test(proxy, upstream):
        async with client(proxy) as (reader, writer):
            writer.write(sent)
            found, headers, body = await answer_of(reader)
            assert found == status
            assert headers["connection"] == "close"
            assert b"cannot read this as HTTP/1.1" in body
            assert await reader.read() == b""
        assert upstream.heads == []
        assert await ask(proxy) == 200

    over_edge(test)


def test_a_head_of_just_under_64_kilobytes_passes():
    """The limit is on what cannot be passed on, not on what is merely large."""
    big = b"GET / HTTP/1.1\r\nHost: shop\r\nX: " + b"y" * 65_000 + b"\r\n\r\n"

    async def test(proxy, upstream):
        assert await ask(proxy, big) == 200
        assert upstream.heads == [big]

    over_edge(test)


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\nonly this",
        b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
        b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n",
    ],
)
def test_a_request_that_breaks_off_is_no_request_to_the_server(head):
    """The server sees its connection break before the body's end, and the client gets no answer."""
    seen = []

    async def server(reader, writer, head):
        try:
            await digest_answer(reader, writer, head)
            seen.append("a whole request")
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            seen.append("a broken connection")
            raise ConnectionResetError from None

    async def test(proxy, upstream):
        async with client(proxy) as (reader, writer):
            writer.write(head)
            writer.write_eof()
            assert await is_broken(reader)
        await upstream.ended.wait()
        assert "a whole request" not in seen

    over_edge(test, answer=server)


def test_a_client_that_stops_reading_makes_the_server_wait():
    """An endless answer: what nobody reads stays with the server, not in the proxy's memory."""
    sent = 0

    async def endless(_, writer, __):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent < 200 * 65536:
            writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
            sent += 65536
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async def settled():
        last = -1
        while last != sent:
            last = sent
            await asyncio.sleep(0.2)
        return sent

    async def test(proxy, _):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")
            reader._transport.pause_reading()
            assert await settled() < 200 * 65536
            assert proxy.traffic["downstream"].sent - proxy.traffic["downstream"].received == 0
            reader._transport.resume_reading()
            left = 200
            while left:
                await reader.readexactly(int((await reader.readline()), 16) + 2)
                left -= 1
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * BUFFER_BYTES / 1024

    over_edge(test, answer=endless)


def test_a_server_that_stops_reading_makes_the_client_wait():
    """An endless request body piles up nowhere."""

    async def deaf(reader, _, __):
        await asyncio.sleep(0.5)
        while await reader.read(65536):
            pass

    async def test(proxy, _):
        async with client(proxy) as (_, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n")

            async def send():
                while proxy.traffic["upstream"].received < 100_000_000:
                    writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
                    await writer.drain()

            with pytest.raises(TimeoutError):
                await asyncio.wait_for(send(), 0.3)

    over_edge(test, answer=deaf)


def test_a_client_that_resets_takes_its_request_along():
    """The server, still working on it, sees its connection break at once."""

    async def slow(reader, _, __):
        await reader.read(1)

    async def test(proxy, upstream):
        async with client(proxy) as (_, writer):
            writer.write(GET)
            await until(lambda: upstream.heads)
            writer.transport.abort()
            await asyncio.wait_for(upstream.ended.wait(), 1)

    over_edge(test, answer=slow)
