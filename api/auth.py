"""Who may use the API: a token in the Authorization header, looked at before any of a body is read."""

from collections.abc import Iterable

from fastapi import Security
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problem import answer
from storage.tokens import Scope as TokenScope
from storage.tokens import Tokens

OPEN = frozenset({"/healthz", "/readyz"})
# the documentation says what the API is, not what is kept here; a browser that opens it can send no token
OPEN_PREFIXES = ("/docs", "/openapi.json", "/static-offline-docs/")
READING = frozenset({"GET", "HEAD"})

# only for the documentation: it gets the button that takes a token
DOCUMENTED = Security(HTTPBearer(auto_error=False, description="A token with the scope read, or operate to change."))


class Authentication:
    """ASGI middleware: reading needs the scope "read", everything else "operate". Without tokens all may pass."""

    def __init__(self, app: ASGIApp, tokens: Tokens | None) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, detail = refusal
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        await answer(status, detail, headers)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and reason when the request may not pass."""
        path = scope["path"]
        if self._tokens is None or path in OPEN or path.startswith(OPEN_PREFIXES):
            return None
        token = self._tokens.find(_authorization(scope["headers"]))
        if token is None:
            return 401, (
                "the token is missing or unknown; send it in the header 'Authorization: Bearer TOKEN', never in the "
                "address (commands take it from NINELIVES_TOKEN); 'ninelives tokens add' makes one"
            )
        wanted: TokenScope = "read" if scope["method"] in READING else "operate"
        if not token.allows(wanted):
            return 403, f"the token {token.name!r} has no scope {wanted!r}; 'ninelives tokens list' shows what it may"
        return None


def _authorization(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the one Authorization header; two of them are none, because a proxy may have looked at the other."""
    found = [value for name, value in headers if name == b"authorization"]
    return found[0].decode("latin-1") if len(found) == 1 else None
