"""What a collector and an evaluator apart say about themselves: `/healthz`, `/readyz` and `/metrics`."""

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.auth import Authentication
from storage.tokens import Tokens


def build_probes(registry: CollectorRegistry, ready: Callable[[], str], tokens: Tokens | None) -> Starlette:
    """Return the application.

    Args:
        registry: What `/metrics` shows, to those with a token that may read.
        ready: Returns why nothing should be sent to this process, "" when it is ready.
        tokens: None lets everybody in.
    """

    def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def readyz(_request: Request) -> Response:
        reason = ready()
        status = {"status": "not ready", "reason": reason} if reason else {"status": "ready"}
        return JSONResponse(status, status_code=503 if reason else 200)

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])
    app.add_middleware(Authentication, tokens=tokens)
    return app
