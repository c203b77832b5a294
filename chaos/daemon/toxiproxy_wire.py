"""Bodies of the Toxiproxy HTTP API, and `lease_ms`, our one addition to them."""

import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from chaos.daemon.lease import MAX_LEASE_MS
from chaos.errors import FaultRefusedError
from chaos.fields import problems
from chaos.proxy.proxy import Proxy
from chaos.proxy.toxic import ATTRIBUTES, Toxic, ToxicAttributes

M = TypeVar("M", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    lease_ms: int | None = Field(default=None, gt=0, le=MAX_LEASE_MS)


class ProxyBody(_Body):
    name: str = ""
    listen: str = ""
    upstream: str = ""
    enabled: bool = True


class ProxyList(RootModel[list[ProxyBody]]):
    pass


class ProxyUpdate(_Body):
    listen: str | None = None
    upstream: str | None = None
    enabled: bool | None = None


class ToxicShape(_Body):
    """The part that decides which errors come first, as in Toxiproxy."""

    type: str = ""
    name: str = ""
    stream: str = "downstream"


class ToxicBody(ToxicShape):
    """`attributes` are those of its type; see `checked_attributes`."""

    toxicity: float = Field(default=1.0, ge=0, le=1)
    attributes: dict[str, Any] = {}

    def checked_attributes(self) -> ToxicAttributes:
        """Return the attributes of this type of toxic (raises FaultRefusedError, 400)."""
        return parse(ATTRIBUTES[self.type], self.attributes)


class ToxicUpdate(_Body):
    toxicity: float | None = Field(default=None, ge=0, le=1)
    attributes: dict[str, Any] = {}


def parse(kind: type[M], document: object) -> M:
    """Return *document* as a *kind*.

    Raises:
        FaultRefusedError: 400 with Toxiproxy's words for it.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise FaultRefusedError(f"bad request body: {'; '.join(problems(error))}", 400) from error


async def read(kind: type[M], request: Request) -> M:
    """Read a JSON body whatever its content type says, as Toxiproxy does (raises FaultRefusedError, 400)."""
    try:
        document = json.loads(await request.body())
    except ValueError as error:
        raise FaultRefusedError(f"bad request body: {error}", 400) from error
    return parse(kind, without_nulls(document))


def without_nulls(document: Any) -> Any:
    """Return *document* without its nulls: to Toxiproxy, null is the same as nothing."""
    if isinstance(document, dict):
        return {name: without_nulls(value) for name, value in document.items() if value is not None}
    return [without_nulls(each) for each in document] if isinstance(document, list) else document


def require_fields(body: ProxyBody, where: str = "") -> None:
    for name in ("name", "upstream"):
        if not getattr(body, name):
            raise FaultRefusedError(f"missing required field: {name}{where}", 400)


def proxy_json(proxy: Proxy) -> dict[str, Any]:
    return {
        "name": proxy.name,
        "listen": str(proxy.listen),
        "upstream": str(proxy.upstream),
        "enabled": proxy.enabled,
        "toxics": toxics_json(proxy),
    }


def toxics_json(proxy: Proxy) -> list[dict[str, Any]]:
    """Return the toxics of Toxiproxy's clients; those that belong to faults of ours are not theirs."""
    return [toxic_json(toxic) for toxic in proxy.toxics if not toxic.is_fault]


def toxic_json(toxic: Toxic) -> dict[str, Any]:
    return {
        "attributes": toxic.attributes.model_dump(),
        "name": toxic.name,
        "type": toxic.type,
        "stream": toxic.stream,
        "toxicity": toxic.toxicity,
    }
