"""HTTP edges over real sockets: what honest clients and servers say passes unchanged."""

import asyncio
import hashlib
import os

import httpx
import pytest

from tests.integration.chaos_edge import GET, OK, answer_of, body_of, client, digest_answer, over_edge, until


def test_a_thousand_requests_share_one_connection_on_each_side():
    """Keep-alive on both sides; the upstream sees every header as it was spelt."""

    async def test(proxy, upstream):
        async with client(proxy) as (reader, writer):
            for number in range(1000):
                writer.write(b"GET /%d HTTP/1.1\r\nHost: shop\r\nX-Spelt: As IS\r\n\r\n" % number)
                assert (await answer_of(reader))[0] == 200
        assert upstream.connections == 1
        assert len(upstream.heads) == 1000
        assert upstream.heads[999] == b"GET /999 HTTP/1.1\r\nHost: shop\r\nX-Spelt: As IS\r\n\r\n"

    over_edge(test)


def test_pipelined_requests_are_answered_in_order():
    """Ten requests in one write, then the client closes its side: ten answers."""

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            writer.write(b"".join(b"GET /%d HTTP/1.1\r\nHost: shop\r\n\r\n" % number for number in range(10)))
            writer.write_eof()
            assert [(await answer_of(reader))[2] for _ in range(10)] == [b"/%d" % number for number in range(10)]
            assert await reader.read() == b""

    async def echo_path(_, writer, head):
        path = head.split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))

    over_edge(test, answer=echo_path)


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_of_megabytes_stream_both_ways(chunked):
    """Five megabytes up and down, with a length and in chunks, through an ordinary client."""
    payload = os.urandom(5_000_000)

    async def echo(reader, writer, head):
        body = await body_of(reader, head)
        if chunked:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(body), 100_000):
                part = body[start : start + 100_000]
                writer.write(b"%x\r\n%s\r\n" % (len(part), part))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async def parts():
        for start in range(0, len(payload), 70_000):
            yield payload[start : start + 70_000]

    async def test(proxy, upstream):
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(2):
                answer = await http.post(f"http://{proxy.listen}/", content=parts() if chunked else payload)
                assert answer.status_code == 200
                assert answer.content == payload
        assert upstream.connections == 1

    over_edge(test, answer=echo)


def test_a_response_starts_before_the_request_has_ended():
    """The server answers each part of the body as it comes."""

    async def echo_parts(reader, writer, _):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while size := int((await reader.readline()).strip(), 16):
            part = await reader.readexactly(size + 2)
            writer.write(b"%x\r\n%s" % (size, part))
        await reader.readline()
        writer.write(b"0\r\n\r\n")

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            for part in (b"one", b"three"):
                writer.write(b"%x\r\n%s\r\n" % (len(part), part))
                assert await reader.readexactly(len(part) + 5) == b"%x\r\n%s\r\n" % (len(part), part)
            writer.write(b"0\r\n\r\n")
            assert await reader.readexactly(5) == b"0\r\n\r\n"

    over_edge(test, answer=echo_parts)


def test_a_server_that_answers_early_and_closes_is_heard():
    """413 before the body is there: the client reads it, although it is still sending."""

    async def too_large(reader, writer, _):
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.write_eof()
        while await reader.read(65536):  # as servers do that mean to be heard
            pass
        writer.close()

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 20000000\r\n\r\n" + bytes(10_000_000))
            await asyncio.sleep(0.2)  # a client that looks at the answer only later must not find a reset instead
            assert (await answer_of(reader))[0] == 413
            assert await reader.read() == b""

    over_edge(test, answer=too_large)


@pytest.mark.parametrize("accepts", [True, False])
def test_expect_100_continue_is_between_client_and_server(accepts):
    """The client's wait ends when the server says so, or with the server's refusal."""

    async def server(reader, writer, head):
        if accepts:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await digest_answer(reader, writer, head)
        else:
            writer.write(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            writer.write(b"PUT / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            status, _, _ = await answer_of(reader)
            if not accepts:
                assert status == 417
                return
            assert status == 100
            writer.write(b"hello")
            assert (await answer_of(reader))[2].split() == [b"5", hashlib.sha256(b"hello").hexdigest().encode()]

    over_edge(test, answer=server)


@pytest.mark.parametrize(
    ("method", "response"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"),
        (b"DELETE", b"HTTP/1.1 200 Fine by me\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_responses_without_a_body_pass_as_they_are(method, response):
    """HEAD, 204, 304: the next answer on the connection is not taken for a body."""

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            for _ in range(3):
                writer.write(method + b" / HTTP/1.1\r\nHost: shop\r\n\r\n")
                assert await reader.readuntil(b"\r\n\r\n") == response

    over_edge(test, answer=response)


def test_interim_responses_and_trailers_pass():
    """103 before the answer, and a trailer behind the chunks."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    head, body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\nok\r\n0\r\nsum: 7\r\n\r\n"

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            assert await reader.readexactly(len(hints + head + body)) == hints + head + body

    over_edge(test, answer=hints + head + body)


def test_an_old_server_that_ends_its_answer_by_closing_is_understood():
    """HTTP/1.0 without a length: the client gets the body, its end, and word that the connection closes."""

    async def old(_, writer, __):
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async def test(proxy, _):
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(3):
                answer = await http.get(f"http://{proxy.listen}/")
                assert answer.text == "hello"
                assert answer.headers["connection"] == "close"

    over_edge(test, answer=old)


def test_an_old_client_is_served_and_its_connection_closed():
    """HTTP/1.0 without Host."""

    async def test(proxy, upstream):
        async with client(proxy) as (reader, writer):
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"\r\n\r\nok")
        assert str(proxy.upstream).encode() in upstream.heads[0]

    over_edge(test)


@pytest.mark.parametrize(
    ("request_head", "response"),
    [
        (
            b"GET /ws HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        ),
        (b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n", b"HTTP/1.1 200 Connected\r\n\r\n"),
    ],
)
def test_upgraded_connections_are_tunnelled(request_head, response):
    """After the switch bytes pass both ways, whatever they are, until one side ends."""

    async def switch(reader, writer, _):
        writer.write(response + b"first")
        while data := await reader.read(1000):
            writer.write(data.upper())
        writer.write(b"bye")
        writer.close()

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            writer.write(request_head)
            assert await reader.readexactly(len(response) + 5) == response + b"first"
            for _ in range(3):
                writer.write(b"\x00not http\r\n\r\n")
                assert await reader.readexactly(13) == b"\x00NOT HTTP\r\n\r\n"
            writer.write_eof()
            assert await reader.read() == b"bye"

    over_edge(test, answer=switch)


def test_a_refused_upgrade_leaves_the_connection_in_use():
    """200 to an Upgrade: the next request is HTTP again."""

    async def test(proxy, upstream):
        async with client(proxy) as (reader, writer):
            for _ in range(2):
                writer.write(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
                assert (await answer_of(reader))[0] == 200
        assert upstream.connections == 1

    over_edge(test, answer=OK)


def test_both_sides_end_together():
    """An idle server that closes closes the client's connection; a client that leaves is missed by the server."""

    async def test(proxy, upstream):
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            await answer_of(reader)
            assert await asyncio.wait_for(reader.read(), 1) == b""
        upstream.ended.clear()
        upstream.answer = lambda *_: asyncio.sleep(0)
        async with client(proxy) as (reader, writer):
            writer.write(GET)
            await until(lambda: len(upstream.heads) == 2)
        await asyncio.wait_for(upstream.ended.wait(), 1)

    async def once(_, writer, __):
        writer.write(OK)
        await writer.drain()
        writer.close()

    over_edge(test, answer=once)
