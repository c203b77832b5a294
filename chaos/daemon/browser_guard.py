import secrets

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chaos.address import Address

TRUSTED_FETCH = frozenset({"none", "same-origin"})


class BrowserGuard:
    """Refuses what a browser sends, so that no web page can break services through a visitor's loopback.

    Args:
        loopback_only: also refuse a Host that is not this machine's own name for itself: a page whose name was
            pointed at loopback (DNS rebinding) is of the same origin to its browser, but keeps its name.
    """

    def __init__(self, app: ASGIApp, *, loopback_only: bool = True) -> None:
        self._app = app
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if scope["type"] == "http" and _is_browser(headers):
            await _refuse("requests from browsers are refused", 403)(scope, receive, send)
        elif scope["type"] == "http" and self._loopback_only and not _is_loopback(headers.get("host", "localhost")):
            reason = f"host {headers.get('host')!r} is not this machine's loopback; use 127.0.0.1 or localhost"
            await _refuse(reason, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class TokenGuard:
    """Asks every request for `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = Headers(scope=scope).get("authorization", "").encode("latin-1")
        if scope["type"] == "http" and not secrets.compare_digest(found, self._expected):
            reason = "beyond loopback a token is needed: Authorization: Bearer <the line in chaos/daemon.token>"
            await _refuse(reason, 401)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _refuse(reason: str, status: int) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": reason, "status": status}, status, headers)


def _is_browser(headers: Headers) -> bool:
    fetch = (headers.get("sec-fetch-mode", "none"), headers.get("sec-fetch-site", "none"))
    agent = headers.get("user-agent", "")
    return "origin" in headers or not TRUSTED_FETCH.issuperset(fetch) or agent.startswith("Mozilla/")


def _is_loopback(host: str) -> bool:
    name = host.lower()
    try:
        address = Address.parse(name)
    except ValueError:
        address = Address(name.removeprefix("[").removesuffix("]"), 80)
    return address.is_loopback
