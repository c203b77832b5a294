"""Who may use the API: a token in the Authorization header, looked at before any of a body is read."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import parse_qs

from fastapi import Security
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from alerts.errors import InvalidLink
from alerts.signing import SHOWING, LinkSigner
from api.link_answer import refused
from api.problem import answer
from storage.tokens import Scope as TokenScope
from storage.tokens import Tokens

OPEN = frozenset({"/healthz", "/readyz"})
# the documentation says what the API is, not what is kept here; a browser that opens it can send no token
OPEN_PREFIXES = ("/docs", "/openapi.json", "/static-offline-docs/")
# what a link in a message opens, for whoever has the link
EVIDENCE = re.compile(r"/api/v1/alerts/([^/]+)/evidence")
ACKNOWLEDGE = "/api/v1/acknowledge"
READING = frozenset({"GET", "HEAD"})

# only for the documentation: it gets the button that takes a token
DOCUMENTED = Security(HTTPBearer(auto_error=False, description="A token with the scope read, or operate to change."))


class Authentication:
    """ASGI middleware: reading needs the scope "read", everything else "operate". Without tokens all may pass.

    So may who has a signed link: to the frozen page of its alert, and to the page that acknowledges it. Routes find in
    `request.state.may_operate` whether the token that was shown allows more than reading.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens | None, links: LinkSigner | None = None) -> None:
        self._app = app
        self._tokens = tokens
        self._links = links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        try:
            if refusal is not None and self._has_link(scope):
                refusal = None
        except InvalidLink as error:
            await refused(str(error))(scope, receive, send)
            return
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, detail = refusal
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        await answer(status, detail, headers)(scope, receive, send)

    def _has_link(self, scope: Scope) -> bool:
        """Return whether a signed link opens what is asked for.

        Raises:
            InvalidLink: it should, and does not.
        """
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        shown = EVIDENCE.fullmatch(scope["path"])
        if self._links is None or not token:
            return False
        now = datetime.now(UTC)
        if shown is not None and scope["method"] in READING:
            require_alert(self._links.read(token, SHOWING, now)[1], shown[1])
            return True
        if scope["path"] == ACKNOWLEDGE and scope["method"] in {"GET", "POST"}:
            self._links.verify(token, "acknowledge", now)
            return True
        return False

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and reason when the request may not pass."""
        path = scope["path"]
        state = scope.setdefault("state", {})
        state["may_operate"] = self._tokens is None
        if self._tokens is None or path in OPEN or path.startswith(OPEN_PREFIXES):
            return None
        token = self._tokens.find(_authorization(scope["headers"]))
        if token is None:
            return 401, (
                "the token is missing or unknown; send it in the header 'Authorization: Bearer TOKEN', never in the "
                "address (commands take it from NINELIVES_TOKEN); 'ninelives tokens add' makes one"
            )
        state["may_operate"] = token.allows("operate")
        wanted: TokenScope = "read" if scope["method"] in READING else "operate"
        if not token.allows(wanted):
            return 403, f"the token {token.name!r} has no scope {wanted!r}; 'ninelives tokens list' shows what it may"
        scope.setdefault("state", {})["token"] = token.name  # for the record of who asked
        return None


def require_alert(signed: str, asked: str) -> None:
    """Pass when a link that was signed for one alert asks for that one.

    Raises:
        InvalidLink: it asks for another.
    """
    if signed != asked:
        raise InvalidLink("this link was made for another alert; open the one in the message of this alert")


def _authorization(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the one Authorization header; two of them are none, because a proxy may have looked at the other."""
    found = [value for name, value in headers if name == b"authorization"]
    return found[0].decode("latin-1") if len(found) == 1 else None
