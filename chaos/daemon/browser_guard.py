from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

TRUSTED_FETCH = frozenset({"none", "same-origin"})


class BrowserGuard:
    """Refuses what a browser sends, so that no web page can break services through a visitor's loopback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_browser(Headers(scope=scope)):
            refusal = JSONResponse({"error": "requests from browsers are refused", "status": 403}, 403)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_browser(headers: Headers) -> bool:
    fetch = (headers.get("sec-fetch-mode", "none"), headers.get("sec-fetch-site", "none"))
    agent = headers.get("user-agent", "")
    return "origin" in headers or not TRUSTED_FETCH.issuperset(fetch) or agent.startswith("Mozilla/")
