"""Traces of a shop: a checkout that calls payments and redis, as three services would send them."""

import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta

MS = 10**6
SERVER, CLIENT, INTERNAL = 2, 3, 1


class ShopTraces:
    """Collects spans by service until `bodies` packs them into requests.

    Times are milliseconds after `base`, half an hour ago.
    """

    def __init__(self, otlp):
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        self.base = now - timedelta(minutes=30 + now.minute % 5)  # whole five minutes, as the table of spans is ordered
        self._otlp = otlp
        self.base_ns = otlp.ns(self.base)
        self._spans = defaultdict(list)

    def span(self, name, parent=None, *, service="checkout", kind=INTERNAL, at_ms=0, ms=10, error=False, **fields):
        """Add a span below *parent*, or the first of a new trace, and return it."""
        found = self._otlp.span(
            name,
            kind=kind,
            start_ns=self.base_ns + round(at_ms * MS),
            duration_ns=round(ms * MS),
            trace_id=os.urandom(16) if parent is None else parent.trace_id,
            parent=b"" if parent is None else parent.span_id,
            status=2 if error else 0,
            **fields,
        )
        self._spans[service].append(found)
        return found

    def request(self, name="POST /pay", *, at_ms=0, ms=100, error=False, route="/pay", attributes=None, **fields):
        """Add the span of a request to checkout."""
        named = {"http.route": route} | (attributes or {})
        return self.span(name, kind=SERVER, at_ms=at_ms, ms=ms, error=error, attributes=named, **fields)

    def checkout(self, *, at_ms=0, ms=100, error=False, failing=None, redis_ms=1, route="/pay", **fields):
        """Add a checkout that asks redis, which sends no spans, and payments; *failing* is the guilty service."""
        failed = error or failing is not None
        request = self.request(f"POST {route}", at_ms=at_ms, ms=ms, error=failed, route=route, **fields)
        self.span("GET", request, kind=CLIENT, at_ms=at_ms + 1, ms=redis_ms, attributes={"db.system.name": "redis"})
        at = at_ms + 1 + redis_ms
        broken = failing == "payments"
        call = self.span("POST", request, kind=CLIENT, at_ms=at, ms=20, error=broken)
        said = "declined" if broken else ""
        self.span("charge", call, service="payments", kind=SERVER, at_ms=at + 1, ms=18, error=broken, message=said)
        return request

    def bodies(self, **identity):
        """Return the requests of everything that was added since the last time."""
        found = [self._otlp.traces(*spans, service=service, **identity) for service, spans in self._spans.items()]
        self._spans.clear()
        return found
