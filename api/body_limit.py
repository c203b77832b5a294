"""How much a request to the API may send: its bodies are read whole, and end up in the database."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problem import answer

MOST_BYTES: Final = 2 << 20
TOO_LARGE: Final = (
    "the body is larger than 2 MiB; send less, of a run for example its journal without the outputs of activities"
)


class BodyLimit:
    """ASGI middleware: a larger body is refused with 413, by its announced length before any of it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _announced(scope) > MOST_BYTES:
            await answer(413, TOO_LARGE)(scope, receive, send)
            return
        await self._app(scope, _counted(receive), send)


def _announced(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return max((int(length) for length in lengths if length.isdigit()), default=0)


def _counted(receive: Receive) -> Receive:
    """Return *receive*, which gives up in a body whose length was not announced."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BYTES:
            raise HTTPException(413, TOO_LARGE)
        return message

    return counted
