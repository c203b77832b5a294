"""A proxy in this process between raw sockets: an upstream that a test scripts, and clients that say what they like."""

import asyncio
import contextlib
import hashlib

from chaos.address import Address
from chaos.proxy.proxy import Proxy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
BROKEN = (ConnectionError, asyncio.IncompleteReadError)


class Upstream:
    """A server that keeps what it was sent, by connection, and answers what *answer(head)* returns.

    `answer` may be bytes, or a coroutine function `(reader, writer, head)` that takes over.
    """

    def __init__(self, answer=OK):
        self.answer = answer
        self.heads, self.connections = [], 0
        self.ended = asyncio.Event()

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                if callable(self.answer):
                    await self.answer(reader, writer, head)
                    if writer.is_closing():
                        break
                else:
                    writer.write(self.answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            self.ended.set()
            writer.close()


def over_edge(test, *, answer=OK, protocol="http"):
    """Run *test(proxy, upstream)* with an enabled proxy in front of a scripted upstream."""

    async def main():
        async with asyncio.timeout(20):
            upstream = Upstream(answer)
            server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, limit=1 << 20)
            port = server.sockets[0].getsockname()[1]
            proxy = Proxy("edge", Address("127.0.0.1", 0), Address("127.0.0.1", port), protocol=protocol)
            await proxy.enable()
            upstream.server = server
            try:
                await test(proxy, upstream)
            finally:
                await proxy.close()
                server.close()
                await asyncio.sleep(0.02)  # let the upstream see the end of its connections

    asyncio.run(main())


@contextlib.asynccontextmanager
async def client(proxy):
    reader, writer = await asyncio.open_connection(proxy.listen.host, proxy.listen.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer_of(reader):
    """Read one response whose length is given; returns (status, headers in lower case, body)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(lines[0].split()[1]), headers, body


async def ask(proxy, request=GET):
    """Send one request on a connection of its own and return its status."""
    async with client(proxy) as (reader, writer):
        writer.write(request)
        return (await answer_of(reader))[0]


async def body_of(reader, head):
    """Read a request's body, chunked or not, as a server does."""
    text = head.lower()
    if b"transfer-encoding: chunked" in text:
        body = b""
        while size := int((await reader.readline()).strip(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        while await reader.readline() != b"\r\n":
            pass
        return body
    for line in text.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.split(b":")[1]))
    return b""


async def digest_answer(reader, writer, head):
    """Answer with the length and digest of the request's body."""
    body = await body_of(reader, head)
    told = f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told))
    await writer.drain()


async def until(condition, within_s=3.0):
    """Wait until *condition()* holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what the other end has seen has no event here
            await asyncio.sleep(0.01)


async def is_broken(reader):
    """Return whether the connection ends without another byte."""
    try:
        return len(await reader.read(-1)) == 0
    except ConnectionError:
        return True
