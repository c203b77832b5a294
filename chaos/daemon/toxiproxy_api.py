"""The Toxiproxy HTTP API (github.com/Shopify/toxiproxy, api.go), so that its clients work unchanged.

One difference: nothing stays broken for ever. A toxic, and a proxy that is switched off, gets the daemon's default
lease (or `lease_ms`, our one additional field) and is reverted when nobody updates it within that time.
"""

from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from chaos.address import Address
from chaos.daemon.board import FaultBoard
from chaos.daemon.metrics import METRICS_TYPE, metrics_text
from chaos.daemon.toxiproxy_wire import (
    ProxyBody,
    ProxyList,
    ProxyUpdate,
    ToxicBody,
    ToxicShape,
    ToxicUpdate,
    parse,
    proxy_json,
    read,
    require_fields,
    toxic_json,
    toxics_json,
    without_nulls,
)
from chaos.daemon.world import World
from chaos.errors import FaultRefusedError
from chaos.proxy.proxy import Proxy
from chaos.proxy.toxic import ATTRIBUTES, Stream, Toxic
from chaos.wire import EDGE_KINDS, FaultRequest, FaultState

VERSION = "2.12.0"  # the release whose API this follows; clients ask for it
LOOPBACK_FOR_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - named so as not to listen there


class ToxiproxyApi:
    """Handlers over the same proxies and the same board as the daemon's own endpoints.

    Args:
        default_lease_ms: lease of a fault whose client does not know leases.
        loopback_only: refuse proxies that would listen beyond this machine.
    """

    def __init__(self, world: World, board: FaultBoard, *, default_lease_ms: int, loopback_only: bool) -> None:
        self._world = world
        self._board = board
        self._default_lease_ms = default_lease_ms
        self._loopback_only = loopback_only

    def router(self) -> APIRouter:
        router = APIRouter(tags=["toxiproxy"])
        routes = (
            (["GET"], "/version", self.version),
            (["GET"], "/metrics", self.metrics),
            (["POST"], "/reset", self.reset),
            (["POST"], "/populate", self.populate),
            (["GET"], "/proxies", self.list_proxies),
            (["POST"], "/proxies", self.create_proxy),
            (["GET"], "/proxies/{proxy}", self.show_proxy),
            (["POST", "PATCH"], "/proxies/{proxy}", self.update_proxy),
            (["DELETE"], "/proxies/{proxy}", self.delete_proxy),
            (["GET"], "/proxies/{proxy}/toxics", self.list_toxics),
            (["POST"], "/proxies/{proxy}/toxics", self.create_toxic),
            (["GET"], "/proxies/{proxy}/toxics/{toxic}", self.show_toxic),
            (["POST", "PATCH"], "/proxies/{proxy}/toxics/{toxic}", self.update_toxic),
            (["DELETE"], "/proxies/{proxy}/toxics/{toxic}", self.delete_toxic),
        )
        for methods, path, handler in routes:
            router.add_api_route(path, handler, methods=methods, response_model=None)
        return router

    async def version(self) -> Response:
        return JSONResponse({"version": VERSION})

    async def metrics(self) -> Response:
        return Response(metrics_text(self._world, self._board.states()), media_type=METRICS_TYPE)

    async def reset(self) -> Response:
        """Enable every proxy and end every fault on one; other targets are no business of Toxiproxy's."""
        await self._board.revert_all("reset", only=lambda state: state.kind in EDGE_KINDS)
        return Response(status_code=204)

    async def list_proxies(self) -> Response:
        return JSONResponse({proxy.name: proxy_json(proxy) for proxy in self._world})

    async def create_proxy(self, request: Request) -> Response:
        body = await read(ProxyBody, request)
        require_fields(body)
        if body.name in self._world.proxies:
            raise FaultRefusedError("proxy already exists", 409)
        return JSONResponse(proxy_json(await self._add(body)), 201)

    async def populate(self, request: Request) -> Response:
        bodies = (await read(ProxyList, request)).root
        for position, body in enumerate(bodies, start=1):
            require_fields(body, f" at proxy {position}")
        proxies = [await self._add_or_replace(body) for body in bodies]
        return JSONResponse({"proxies": [proxy_json(proxy) for proxy in proxies]}, 201)

    async def show_proxy(self, proxy: str) -> Response:
        return JSONResponse(proxy_json(self._world.proxy(proxy)))

    async def update_proxy(self, proxy: str, request: Request) -> Response:
        found = self._world.proxy(proxy)
        body = await read(ProxyUpdate, request)
        await self._move(found, body)
        if body.enabled is not None:
            await self._switch(found, enabled=body.enabled, lease_ms=body.lease_ms)
        return JSONResponse(proxy_json(found))

    async def delete_proxy(self, proxy: str) -> Response:
        await self._remove(self._world.proxy(proxy))
        return Response(status_code=204)

    async def list_toxics(self, proxy: str) -> Response:
        return JSONResponse(toxics_json(self._world.proxy(proxy)))

    async def create_toxic(self, proxy: str, request: Request) -> Response:
        found = self._world.proxy(proxy)
        shape = await read(ToxicShape, request)
        if shape.stream not in get_args(Stream):
            raise FaultRefusedError("stream was invalid, can be either upstream or downstream", 400)
        if shape.type not in ATTRIBUTES:
            raise FaultRefusedError("invalid toxic type", 400)
        name = shape.name or f"{shape.type}_{shape.stream}"
        if found.find_toxic(name) is not None:
            raise FaultRefusedError("toxic already exists", 409)
        await self._board.inject(self._request(proxy, name, await read(ToxicBody, request)))
        return await self.show_toxic(proxy, name)

    async def show_toxic(self, proxy: str, toxic: str) -> Response:
        return JSONResponse(toxic_json(_toxic(self._world.proxy(proxy), toxic)))

    async def update_toxic(self, proxy: str, toxic: str, request: Request) -> Response:
        """Change attributes and toxicity in place, and renew the lease."""
        found = self._world.proxy(proxy)
        old = _toxic(found, toxic)
        change = await read(ToxicUpdate, request)
        body = parse(
            ToxicBody,
            {
                "type": old.type,
                "stream": old.stream,
                "toxicity": old.toxicity if change.toxicity is None else change.toxicity,
                "attributes": old.attributes.model_dump() | without_nulls(change.attributes),
                "lease_ms": change.lease_ms,
            },
        )
        self._board.amend(self._fault_of(found, toxic).id, self._request(proxy, toxic, body))
        found.put_toxic(Toxic(toxic, old.stream, body.checked_attributes(), body.toxicity, old.type))
        return await self.show_toxic(proxy, toxic)

    async def delete_toxic(self, proxy: str, toxic: str) -> Response:
        found = self._world.proxy(proxy)
        _toxic(found, toxic)
        await self._board.revert(self._fault_of(found, toxic).id, "request")
        return Response(status_code=204)

    def _request(self, proxy: str, name: str, body: ToxicBody) -> FaultRequest:
        attributes = body.model_dump(include={"type", "stream", "toxicity"})
        attributes |= {"name": name, "attributes": body.checked_attributes().model_dump()}
        return FaultRequest(kind="toxic", target=proxy, lease_ms=self._lease_ms(body.lease_ms), attributes=attributes)

    def _fault_of(self, proxy: Proxy, toxic: str) -> FaultState:
        for state in self._active(proxy):
            if state.kind == "toxic" and state.attributes["name"] == toxic:
                return state
        raise FaultRefusedError("toxic not found", 404)

    def _active(self, proxy: Proxy) -> list[FaultState]:
        states = self._board.states()
        return [state for state in states if state.target == proxy.name and state.kind in EDGE_KINDS and _is_on(state)]

    async def _switch(self, proxy: Proxy, *, enabled: bool, lease_ms: int | None) -> None:
        down = [state for state in self._active(proxy) if _is_down(state)]
        if enabled:
            for state in down:
                await self._board.revert(state.id, "request")
        elif down:
            self._board.renew(down[0].id, self._lease_ms(lease_ms))
        else:
            lease_ms, attributes = self._lease_ms(lease_ms), {"mode": "refuse"}
            await self._board.inject(
                FaultRequest(kind="partition", target=proxy.name, lease_ms=lease_ms, attributes=attributes)
            )

    async def _add_or_replace(self, body: ProxyBody) -> Proxy:
        existing = self._world.proxies.get(body.name)
        if existing is not None:
            if (self._listen(body.listen), Address.parse(body.upstream)) == (existing.listen, existing.upstream):
                return existing
            await self._remove(existing)
        return await self._add(body)

    async def _add(self, body: ProxyBody) -> Proxy:
        proxy = Proxy(body.name, self._listen(body.listen), _address(body.upstream))
        await proxy.bind()
        await proxy.enable()
        self._world.proxies[proxy.name] = proxy
        if not body.enabled:
            await self._switch(proxy, enabled=False, lease_ms=body.lease_ms)
        return proxy

    async def _remove(self, proxy: Proxy) -> None:
        for state in self._active(proxy):
            await self._board.revert(state.id, "request")
        self._world.proxies.pop(proxy.name, None)
        await proxy.close()

    async def _move(self, proxy: Proxy, body: ProxyUpdate) -> None:
        listen = proxy.listen if body.listen is None else self._listen(body.listen)
        upstream = proxy.upstream if body.upstream is None else _address(body.upstream)
        if (listen, upstream) == (proxy.listen, proxy.upstream):
            return
        was_enabled, before = proxy.enabled, (proxy.listen, proxy.upstream)
        await proxy.close()
        proxy.listen, proxy.upstream = listen, upstream
        try:
            await (proxy.enable() if was_enabled else proxy.bind())
        except OSError:
            proxy.listen, proxy.upstream = before  # no proxy stays closed without a fault that a lease would end
            await (proxy.enable() if was_enabled else proxy.bind())
            raise

    def _listen(self, text: str) -> Address:
        """Return where to listen; a daemon on loopback takes "all addresses", many clients' default, as its own."""
        address = _address(text or ":0")
        if self._loopback_only and address.host in LOOPBACK_FOR_ALL:
            address = Address(LOOPBACK_FOR_ALL[address.host], address.port)
        if self._loopback_only and not address.is_loopback:
            raise FaultRefusedError(f"bad request body: listen {text!r} is not a loopback address", 400)
        return address

    def _lease_ms(self, asked: int | None) -> int:
        return asked or self._default_lease_ms


def _is_on(state: FaultState) -> bool:
    return state.phase != "reverted"


def _is_down(state: FaultState) -> bool:
    return state.kind == "partition" and state.attributes.get("mode", "refuse") == "refuse"


def _toxic(proxy: Proxy, name: str) -> Toxic:
    toxic = proxy.find_toxic(name)
    if toxic is None or toxic.is_fault:
        raise FaultRefusedError("toxic not found", 404)
    return toxic


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise FaultRefusedError(f"bad request body: {error}", 400) from error
