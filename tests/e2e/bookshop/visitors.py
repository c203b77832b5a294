"""Visitors of the storefront: `python visitors.py URL SECONDS`, 30 requests a second, whatever comes back."""

import asyncio
import contextlib
import itertools
import sys
import time

import httpx

PER_SECOND = 30


async def visit(url: str, seconds: float) -> None:
    """Send requests at a steady pace; a slow answer does not slow the next visitor down."""
    end = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(limits=limits, timeout=10) as client, asyncio.TaskGroup() as visits:
        for number in itertools.count():
            if time.monotonic() > end:
                break
            visits.create_task(_visit(client, f"{url}/books/{number % 100}"))
            await asyncio.sleep(1 / PER_SECOND)


async def _visit(client: httpx.AsyncClient, url: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        await client.get(url)


if __name__ == "__main__":
    asyncio.run(visit(sys.argv[1], float(sys.argv[2])))
