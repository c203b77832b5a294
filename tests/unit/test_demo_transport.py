"""The shop's transport for httpx, against servers that misbehave."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from demo.transport import LeanTransport

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def client_of(answers, timeout_s=2.0):
    """Yield a client and the numbers of the connections over which its requests came.

    *answers* are what the server sends, request by request; None closes the connection, "hang" sends nothing.
    """
    left, used, opened = iter(answers), [], []

    async def serve(reader, writer):
        number = len(opened)
        opened.append(writer)
        while await _request(reader):
            used.append(number)
            answer = next(left)
            if answer == "hang":
                continue
            if answer is None:
                break
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, transport=LeanTransport(), timeout=timeout_s, trust_env=False) as client:
        yield client, used
    server.close()
    for writer in opened:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def _request(reader):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    await reader.readexactly(int(length.split(b":")[1]))
    return True


def test_a_connection_is_used_again_unless_the_request_asks_to_close_it():
    async def visit():
        async with client_of([OK] * 4) as (client, used):
            for headers in ({}, {}, {"connection": "close"}, {}):
                answer = await client.post("/orders", json={"a": 1}, headers=headers)
                assert (answer.status_code, answer.text) == (200, "ok")
            return used

    assert asyncio.run(visit()) == [0, 0, 1, 0]


def test_an_answer_in_pieces_is_read_whole():
    async def visit():
        chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        empty = b"HTTP/1.1 204 No Content\r\n\r\n"
        async with client_of([chunked, empty, OK]) as (client, used):
            return [(await client.get("/")).text for _ in range(3)], used

    assert asyncio.run(visit()) == (["abcde", "", "ok"], [0, 0, 0])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, httpx.ReadError),
        ("hang", httpx.ReadTimeout),
        (b"SSH-2.0-OpenSSH\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nok", httpx.ReadTimeout),
    ],
)
def test_a_connection_that_failed_is_named_as_httpx_does_and_never_used_again(answer, error):
    async def visit():
        async with client_of([answer, OK], timeout_s=0.2) as (client, used):
            with pytest.raises(error):
                await client.get("/")
            assert (await client.get("/")).text == "ok"
            return used

    assert asyncio.run(visit()) == [0, 1]


def test_nobody_there_is_a_connect_error():
    async def visit():
        async with client_of([]) as (client, _):
            url = client.base_url
        async with httpx.AsyncClient(base_url=url, transport=LeanTransport(), trust_env=False) as client:
            await client.get("/")

    with pytest.raises(httpx.ConnectError):
        asyncio.run(visit())


def test_an_answer_that_comes_after_its_request_was_given_up_is_nobodys():
    async def visit():
        async with client_of(["hang", OK + OK, OK], timeout_s=5) as (client, used):
            first = asyncio.create_task(client.get("/first"))
            await _until(lambda: used == [0])
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            answers = await asyncio.gather(client.get("/second"), client.get("/third"))
            return [answer.text for answer in answers], used

    answers, used = asyncio.run(visit())
    assert answers == ["ok", "ok"]
    assert 0 not in used[1:]


async def _until(is_so):
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 -- the server tells nobody
            await asyncio.sleep(0.005)
