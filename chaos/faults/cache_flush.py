import asyncio

import httpx

from chaos.address import Address
from chaos.daemon.targets import CacheEntry, HttpFlush
from chaos.errors import FaultRefusedError

FLUSH_S = 5.0


class CacheFlushFault:
    """A cache that loses all it holds, once. It fills by itself again: there is nothing to revert."""

    kills = 0

    def __init__(self, cache: CacheEntry) -> None:
        self._cache = cache
        self.key = f"cache_flush:{cache.name}"

    def check(self) -> None:
        """Any cache can be flushed; `key` keeps one flush apart from the next."""

    async def apply(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_S):
                if self._cache.redis is not None:
                    await _flush_redis(self._cache.name, Address.parse(self._cache.redis))
                else:
                    assert self._cache.flush is not None
                    await _flush_http(self._cache.name, self._cache.flush)
        except TimeoutError as error:
            raise FaultRefusedError(f"cache {self._cache.name} did not answer within {FLUSH_S:g} s", 409) from error
        except (OSError, httpx.HTTPError) as error:
            raise FaultRefusedError(
                f"cannot reach cache {self._cache.name}: {error or type(error).__name__}", 409
            ) from error

    async def revert(self) -> bool:
        return True


async def _flush_http(name: str, flush: HttpFlush) -> None:
    async with httpx.AsyncClient(timeout=FLUSH_S, trust_env=False) as client:
        answer = await client.request(flush.method, flush.url)
    if not answer.is_success:
        raise FaultRefusedError(f"cache {name}: {flush.method} {flush.url} answers {answer.status_code}", 409)


async def _flush_redis(name: str, address: Address) -> None:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(b"*1\r\n$8\r\nFLUSHALL\r\n")
        reply = (await reader.readline()).strip().decode(errors="replace")
    finally:
        writer.close()
    if reply != "+OK":
        raise FaultRefusedError(f"cache {name}: the server at {address} answers FLUSHALL with {reply!r}", 409)
