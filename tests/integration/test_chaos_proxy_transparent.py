"""An HTTP edge against no edge at all: whatever is sent, in whatever pieces, both ends read the same."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.chaos_edge import body_of, client, over_edge

INTERIM = b"HTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n"
SIZES = st.sampled_from([0, 1, 100, 5000, 70_000])


@st.composite
def exchanges(draw):
    """A request and the response to it, as bytes, and how long each body is."""
    method = draw(st.sampled_from([b"GET", b"POST", b"HEAD", b"DELETE"]))
    up, down = draw(SIZES) if method == b"POST" else 0, draw(SIZES)
    status = draw(st.sampled_from([200, 201, 204, 304, 404, 503]))
    request = (
        method + b" /%d HTTP/1.1\r\nHost: shop\r\n" % up + framed(up, draw(st.booleans()), always=method == b"POST")
    )
    response = b"HTTP/1.1 %d X\r\n" % status
    if status in {204, 304}:
        return request, response + b"\r\n"
    body = framed(down, draw(st.booleans()) and method != b"HEAD", always=True)
    if method == b"HEAD":
        body = body.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    interim = INTERIM if draw(st.booleans()) else b""
    return request, interim + response + body


def framed(size, chunked, *, always):
    content = bytes(range(97, 123)) * (size // 26 + 1)
    content = content[:size]
    if chunked and always:
        half = size // 2
        parts = [part for part in (content[:half], content[half:]) if part]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        return b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    return (b"Content-Length: %d\r\n\r\n" % size if always else b"\r\n") + content


def unchunked(message):
    """Return one message with the sizes of its chunks taken out: those are each hop's own."""
    if message.startswith(INTERIM):
        return INTERIM + unchunked(message.removeprefix(INTERIM))
    head, _, body = message.partition(b"\r\n\r\n")
    if b"chunked" not in head:
        return message
    content = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        content += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return head + b"\r\n\r\n" + content


@settings(max_examples=40)
@given(
    st.lists(exchanges(), min_size=1, max_size=4),
    st.lists(st.integers(1, 30_000), min_size=1, max_size=8),
    st.booleans(),
)
def test_what_goes_in_comes_out(talk, cuts, pipelined):
    """Requests and responses in any pieces, pipelined or one by one, the same at the other end."""
    left = iter([response for _, response in talk])
    got_requests = []

    async def answer(reader, writer, head):
        got_requests.append((head, await body_of(reader, head)))
        await in_pieces(writer, next(left))

    async def in_pieces(writer, data):
        start, turn = 0, 0
        while start < len(data):
            size = max(cuts[turn % len(cuts)], len(data) // 40)  # a byte at a time only while that is quick
            writer.write(data[start : start + size])
            await asyncio.sleep(0)
            start, turn = start + size, turn + 1

    async def test(proxy, upstream):
        async with client(proxy) as (reader, writer):
            if pipelined:
                await in_pieces(writer, b"".join(request for request, _ in talk))
            for request, response in talk:
                if not pipelined:
                    await in_pieces(writer, request)
                assert await read_like(reader, response) == unchunked(response)
        assert upstream.connections == 1

    over_edge(test, answer=answer)
    sent = [unchunked(request).partition(b"\r\n\r\n") for request, _ in talk]
    assert [(head.removesuffix(b"\r\n\r\n"), body) for head, body in got_requests] == [(h, b) for h, _, b in sent]


async def read_like(reader, response):
    """Read as much as *response* is, chunks put together."""
    found = b""
    if response.startswith(INTERIM):
        found = await reader.readexactly(len(INTERIM))
    rest = response.removeprefix(INTERIM)
    head = await reader.readuntil(b"\r\n\r\n")
    if b"chunked" in head:
        return found + head + await body_of(reader, head)
    return found + head + await reader.readexactly(len(rest.partition(b"\r\n\r\n")[2]))


@pytest.mark.parametrize("cut", range(1, 60, 3))
def test_an_answer_that_breaks_off_anywhere_is_never_complete(cut):
    """Closed after any number of its bytes: the client reads no more than was sent, and sees the break."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"0123456789" * 2

    async def break_off(_, writer, __):
        writer.write(whole[:cut])
        await writer.drain()
        writer.close()

    async def test(proxy, _):
        async with client(proxy) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(len(whole))

    over_edge(test, answer=break_off)
