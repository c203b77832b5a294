import asyncio
import contextlib
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call *function* in a thread. When this is cancelled it still waits for the end: what follows may rely on it."""
    call = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait({call})
        raise


async def until(condition: Callable[[], bool], *, within_s: float, every_s: float = 0.01) -> bool:
    """Return whether *condition* came true in time. For what another process changes: nobody tells us of it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - see above
                await asyncio.sleep(every_s)
    return condition()
