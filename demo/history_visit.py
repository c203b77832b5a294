"""One planned visit as the spans of the services that it goes through."""

import random

from demo.history_plan import PlannedTrace
from demo.history_shapes import Shape, Shapes, Value
from demo.history_wire import Failed, Interval, TraceWriter
from demo.shop import cache_key

LOOKUP_NS = 60_000
DATABASE_LOCKED = Failed("demo.catalog.DatabaseError", "catalog database: database is locked")
POOL_EXHAUSTED = Failed("demo.orders.PoolExhaustedError", "order ledger: connection pool exhausted, 32 of 32 in use")
FAILED_ANSWER = Failed()
"""A client span that got an error: its own code raised nothing."""


def upstream_failed(name: str, status: int, call: str) -> Failed:
    return Failed("demo.upstream.UpstreamFailedError", f"{name} answered {status} to {call}")


def served(path: str, status: int, failed: Failed | None) -> dict[str, Value]:
    """Return the attributes that each server span has of its own."""
    attributes: dict[str, Value] = {
        "url.path": path,
        "client.port": random.randrange(32_768, 61_000),
        "http.response.status_code": status,
    }
    return attributes if failed is None else {**attributes, "error.type": str(status)}


def called(shape: Shape, path: str, status: int) -> dict[str, Value]:
    """Return the attributes that each client span has of its own."""
    attributes: dict[str, Value] = {"url.full": f"{shape.url}{path}", "http.response.status_code": status}
    return {**attributes, "error.type": str(status)} if status >= 500 else attributes


class VisitWriter:
    """Writes the spans of one visit. How long each service takes follows from what it waits for."""

    def __init__(self, shapes: Shapes, planned: PlannedTrace, trace: TraceWriter) -> None:
        self.shapes = shapes
        self.planned = planned
        self.trace = trace
        self.hop_ns = planned.hop_ns
        self.is_checkout = planned.visit.page == "checkout"
        self.locked = DATABASE_LOCKED if planned.outcome == "database_locked" else None
        self.exhausted = POOL_EXHAUSTED if planned.outcome == "pool_exhausted" else None
        self.is_refused = self.exhausted is not None and not self.is_checkout
        """A quote is refused before the catalog is asked; an order is refused when the stock is reserved."""
        self._measure()

    def _measure(self) -> None:
        reserves = self.is_checkout and self.locked is None
        self.reserve_ns = (LOOKUP_NS if self.exhausted else self.planned.reserve_ns) if reserves else 0
        self.caching_ns = self.hop_ns // 2
        """One exchange with the cache: the shop asks it first, and fills it after a query that answered."""
        self.lookup_ns = LOOKUP_NS + self.caching_ns
        if not self.planned.hit:
            self.lookup_ns += self.planned.query_ns + (0 if self.locked else self.caching_ns)
        self.catalog_ns = self.lookup_ns + self.hop_ns // 3
        self.asking_ns = 0 if self.is_refused else self.catalog_ns + self.hop_ns
        self.orders_ns = self.asking_ns + self.reserve_ns + self.hop_ns

    def write(self) -> None:
        """Add every span of the visit to the trace."""
        start_ns, product_id = self.planned.start_ns, self.planned.visit.product_id
        if product_id is None:
            home = Interval(start_ns, start_ns + self.hop_ns // 4)
            self.trace.add(self.shapes.home, b"", home, served("/", 200, None))
            return
        self._gateway(product_id, Interval(start_ns, start_ns + self.orders_ns + 2 * self.hop_ns))

    def _answer(self) -> int:
        """Return the status that orders answers with."""
        if self.exhausted:
            return 500
        if self.locked:
            return 502
        return 201 if self.is_checkout else 200

    def _gateway(self, product_id: int, when: Interval) -> None:
        shapes, status = self.shapes, self._answer()
        call = "POST /orders" if self.is_checkout else "GET /orders/quote/{product_id}"
        failed = upstream_failed("orders", status, call) if status >= 500 else None
        shape = shapes.checkout if self.is_checkout else shapes.product
        path = "/checkout" if self.is_checkout else f"/products/{product_id}"
        span_id = self.trace.add(shape, b"", when, served(path, 502 if failed else status, failed), failed)
        self._ask_orders(product_id, span_id, when.inner(self.hop_ns // 2, self.orders_ns + self.hop_ns))

    def _ask_orders(self, product_id: int, parent: bytes, when: Interval) -> None:
        shape, status = self.shapes.ask_order if self.is_checkout else self.shapes.ask_quote, self._answer()
        path = "/orders" if self.is_checkout else f"/orders/quote/{product_id}"
        failed = FAILED_ANSWER if status >= 500 else None
        span_id = self.trace.add(shape, parent, when, called(shape, path, status), failed)
        self._orders(product_id, span_id, when.inner(self.hop_ns // 2, self.orders_ns), path)

    def _orders(self, product_id: int, parent: bytes, when: Interval, path: str) -> None:
        shape, status = self.shapes.order if self.is_checkout else self.shapes.quote, self._answer()
        locked = upstream_failed("catalog", 500, "GET /items/{product_id}") if self.locked else None
        failed = self.exhausted or locked
        span_id = self.trace.add(shape, parent, when, served(path, status, failed), failed)
        if self.is_refused:
            return
        asking = when.inner(self.hop_ns // 2, self.asking_ns)
        self._ask_catalog(product_id, span_id, asking)
        if self.reserve_ns:
            reserving = Interval(asking.end_ns, asking.end_ns + self.reserve_ns)
            self.trace.add(self.shapes.reserve, span_id, reserving, {}, self.exhausted)

    def _ask_catalog(self, product_id: int, parent: bytes, when: Interval) -> None:
        shape, status, path = self.shapes.ask_item, 500 if self.locked else 200, f"/items/{product_id}"
        failed = FAILED_ANSWER if self.locked else None
        span_id = self.trace.add(shape, parent, when, called(shape, path, status), failed)
        serving = when.inner(self.hop_ns // 2, self.catalog_ns)
        server_id = self.trace.add(self.shapes.item, span_id, serving, served(path, status, self.locked), self.locked)
        self._cache(product_id, server_id, serving.inner(self.hop_ns // 6, self.lookup_ns))

    def _cache(self, product_id: int, parent: bytes, when: Interval) -> None:
        looked_up: dict[str, Value] = {"cache.key": cache_key(product_id), "cache.hit": self.planned.hit}
        span_id = self.trace.add(self.shapes.cache, parent, when, looked_up, self.locked)
        path, asking = f"/items/{product_id}", when.inner(LOOKUP_NS // 2, self.caching_ns)
        self._ask_cache(span_id, asking, path)
        if not self.planned.hit:
            querying = Interval(asking.end_ns, asking.end_ns + self.planned.query_ns)
            self.trace.add(self.shapes.query, span_id, querying, {}, self.locked)
            if self.locked is None:
                self._fill_cache(span_id, querying.inner(self.planned.query_ns, self.caching_ns), path)

    def _ask_cache(self, parent: bytes, when: Interval, path: str) -> None:
        status = 200 if self.planned.hit else 204
        span_id = self.trace.add(self.shapes.ask_cache, parent, when, called(self.shapes.ask_cache, path, status))
        self.trace.add(self.shapes.cached, span_id, _served_within(when), served(path, status, None))

    def _fill_cache(self, parent: bytes, when: Interval, path: str) -> None:
        span_id = self.trace.add(self.shapes.fill_cache, parent, when, called(self.shapes.fill_cache, path, 204))
        self.trace.add(self.shapes.filled, span_id, _served_within(when), served(path, 204, None))


def _served_within(call: Interval) -> Interval:
    length_ns = call.end_ns - call.start_ns
    return call.inner(length_ns // 4, length_ns // 2)
