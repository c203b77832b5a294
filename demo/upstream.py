from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor, RequestInfo
from opentelemetry.trace import Span

from demo.service import ServiceError
from demo.telemetry import Telemetry

KEEPALIVE_S = 2.0
"""Shorter than the servers' keep-alive, so that no request is sent on a connection that is just being closed."""
MAX_CONNECTIONS = 256
IDLE_CONNECTIONS = 6
"""httpx looks at every idle connection for each request, so a few keep it cheap."""


class UpstreamDownError(ServiceError):
    """The service that is asked does not answer at all."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class UpstreamTimeoutError(ServiceError):
    """The service that is asked answers too late."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class UpstreamFailedError(ServiceError):
    """The service that is asked answers with an error of its own."""

    status = HTTPStatus.BAD_GATEWAY


class NotFoundError(ServiceError):
    """The service that is asked does not know the product."""

    status = HTTPStatus.NOT_FOUND


async def _name_by_template(span: Span, request: RequestInfo) -> None:
    template = request.extensions.get("url_template") if request.extensions else None
    if template:
        span.update_name(f"{request.method.decode()} {template}")
        span.set_attribute("url.template", template)


@dataclass(frozen=True, slots=True)
class Upstream:
    """Another service of the shop, called over HTTP with a span for each call."""

    name: str
    client: httpx.AsyncClient

    async def request(self, method: str, path: str, template: str, body: dict[str, Any] | None = None) -> Any:
        """Return the decoded JSON answer.

        Raises:
            ServiceError: No answer, a late answer, or an answer that reports an error.
        """
        try:
            response = await self.client.request(method, path, json=body, extensions={"url_template": template})
        except httpx.TimeoutException as error:
            raise UpstreamTimeoutError(f"{self.name} did not answer {method} {template} in time") from error
        except httpx.TransportError as error:
            raise UpstreamDownError(f"{self.name} is not reachable: {error}") from error
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise NotFoundError(f"{self.name} knows no {path}")
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise UpstreamFailedError(f"{self.name} answered {response.status_code} to {method} {template}")
        return response.json()


def connect(name: str, url: str, timeout_s: float, telemetry: Telemetry) -> Upstream:
    """Open a traced client for the service `name` at `url`; close it with `upstream.client.aclose()`."""
    client = httpx.AsyncClient(
        base_url=url,
        timeout=httpx.Timeout(timeout_s),
        limits=httpx.Limits(
            max_connections=MAX_CONNECTIONS, max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=KEEPALIVE_S
        ),
        trust_env=False,
    )
    HTTPXClientInstrumentor.instrument_client(
        client,
        tracer_provider=telemetry.traces,
        meter_provider=telemetry.metrics,
        request_hook=_name_by_template,
    )
    return Upstream(name, client)
