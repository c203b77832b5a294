"""The places in the shop's code that open spans, as templates for its history."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from demo.catalog import QUERY_ATTRIBUTES
from demo.ports import HOST, Ports
from demo.shop import CACHE_NAME

LOCAL_PARENT = 0x100
REMOTE_PARENT = 0x300
SERVER_SCOPE = "opentelemetry.instrumentation.fastapi"
CLIENT_SCOPE = "opentelemetry.instrumentation.httpx"
Value = str | bool | int


@dataclass(frozen=True, slots=True)
class Shape:
    """What the spans of one place in the code have in common, ready to be merged into a new span.

    `url` is the base URL that a client span calls, else "".
    """

    service: str
    scope: str
    template: bytes
    url: str


def key_value(key: str, value: Value) -> KeyValue:
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _shape(
    service: str,
    scope: str,
    name: str,
    kind: Span.SpanKind.ValueType,
    attributes: Mapping[str, Value],
) -> Shape:
    flags = REMOTE_PARENT if kind == Span.SPAN_KIND_SERVER and service != "gateway" else LOCAL_PARENT
    pairs = [key_value(key, value) for key, value in attributes.items()]
    template = Span(name=name, kind=kind, flags=flags, attributes=pairs, status=Status())
    return Shape(service, scope, template.SerializeToString(), "")


def _server(service: str, ports: Ports, method: str, route: str) -> Shape:
    attributes: dict[str, Value] = {
        "url.scheme": "http",
        "server.address": f"{HOST}:{ports.of(service)}",
        "server.port": ports.of(service),
        "network.protocol.version": "1.1",
        "http.request.method": method,
        "user_agent.original": f"python-httpx/{version('httpx')}",
        "client.address": HOST,
        "http.route": route,
    }
    return _shape(service, SERVER_SCOPE, f"{method} {route}", Span.SPAN_KIND_SERVER, attributes)


def _client(service: str, ports: Ports, method: str, callee: str, template: str) -> Shape:
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "server.address": HOST,
        "network.peer.address": HOST,
        "server.port": ports.of(callee),
        "network.peer.port": ports.of(callee),
        "url.template": template,
        "network.protocol.version": "1.1",
    }
    name = f"{method} {template}"
    return replace(_shape(service, CLIENT_SCOPE, name, Span.SPAN_KIND_CLIENT, attributes), url=ports.url(callee))


class Shapes:
    """The places in the shop's code that open spans."""

    def __init__(self, ports: Ports) -> None:
        self.home = _server("gateway", ports, "GET", "/")
        self.product = _server("gateway", ports, "GET", "/products/{product_id}")
        self.checkout = _server("gateway", ports, "POST", "/checkout")
        self.ask_quote = _client("gateway", ports, "GET", "orders", "/orders/quote/{product_id}")
        self.ask_order = _client("gateway", ports, "POST", "orders", "/orders")
        self.quote = _server("orders", ports, "GET", "/orders/quote/{product_id}")
        self.order = _server("orders", ports, "POST", "/orders")
        self.ask_item = _client("orders", ports, "GET", "catalog", "/items/{product_id}")
        self.reserve = _shape("orders", "shop.orders", "reserve stock", Span.SPAN_KIND_INTERNAL, {"order.quantity": 1})
        self.item = _server("catalog", ports, "GET", "/items/{item_id}")
        cached: dict[str, Value] = {"cache.name": CACHE_NAME}
        self.cache = _shape("catalog", "shop.catalog", "cache get", Span.SPAN_KIND_INTERNAL, cached)
        self.ask_cache = _client("catalog", ports, "GET", "item-cache", "/items/{item_id}")
        self.fill_cache = _client("catalog", ports, "PUT", "item-cache", "/items/{item_id}")
        self.cached = _server("item-cache", ports, "GET", "/items/{item_id}")
        self.filled = _server("item-cache", ports, "PUT", "/items/{item_id}")
        self.query = _shape("catalog", "shop.catalog", "SELECT items", Span.SPAN_KIND_CLIENT, QUERY_ATTRIBUTES)
