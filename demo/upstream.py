from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor, RequestInfo
from opentelemetry.trace import Span

from demo.service import ServiceError
from demo.telemetry import Telemetry
from demo.transport import LeanTransport


class UpstreamDownError(ServiceError):
    """The service that is asked does not answer at all."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class UpstreamTimeoutError(ServiceError):
    """The service that is asked answers too late."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class UpstreamFailedError(ServiceError):
    """The service that is asked answers with an error of its own: `answered` is its status."""

    status = HTTPStatus.BAD_GATEWAY

    def __init__(self, message: str, answered: int) -> None:
        super().__init__(message)
        self.answered = answered


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

    async def request(
        self,
        method: str,
        path: str,
        template: str,
        body: Any = None,
        *,
        timeout_s: float,
        keep_alive: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the decoded JSON answer, or None if the answer is empty.

        Raises:
            ServiceError: No answer, an answer later than `timeout_s`, or an answer that reports an error.
        """
        sent = {**(headers or {}), **({} if keep_alive else {"connection": "close"})}
        extensions = {"url_template": template}
        try:
            response = await self.client.request(
                method, path, json=body, headers=sent, timeout=timeout_s, extensions=extensions
            )
        except httpx.TimeoutException as error:
            raise UpstreamTimeoutError(f"{self.name} did not answer {method} {template} in time") from error
        except httpx.TransportError as error:
            raise UpstreamDownError(f"{self.name} is not reachable: {error}") from error
        status = response.status_code
        if status == HTTPStatus.NOT_FOUND:
            raise NotFoundError(f"{self.name} knows no {path}")
        if status >= HTTPStatus.BAD_REQUEST:
            raise UpstreamFailedError(f"{self.name} answered {status} to {method} {template}", status)
        return response.json() if response.content else None


def connect(name: str, url: str, telemetry: Telemetry) -> Upstream:
    """Open a traced client for the service `name` at `url`; close it with `upstream.client.aclose()`."""
    client = httpx.AsyncClient(base_url=url, transport=LeanTransport(), trust_env=False)
    HTTPXClientInstrumentor.instrument_client(
        client,
        tracer_provider=telemetry.traces,
        meter_provider=telemetry.metrics,
        request_hook=_name_by_template,
    )
    return Upstream(name, client)
