"""The API's models with changes to their usual values, and a reader of the HTML that is made of them."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from api import models as m

NOW = datetime(2026, 11, 22, 14, 5, 12, tzinfo=UTC)
ATTACK = "<img src=x onerror=alert(1)>"


class _Reader(HTMLParser):
    """Collects what a browser would see: elements, attributes and text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.hrefs: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.hrefs += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def slo(slo_id: str = "checkout-availability", **changes: object) -> m.Slo:
    values: dict[str, object] = {
        "id": slo_id,
        "service": "checkout",
        "name": "availability",
        "objective": 0.999,
        "window": "30d",
        "environment": "prod",
        "draft": False,
        "kind": "availability",
        "threshold_ms": None,
        "percentile_ms": None,
        "coverage": 1.0,
        "state": "ok",
        "provisional": False,
        "low_confidence": False,
        "sli": 0.9999,
        "good": 9999,
        "bad": 1,
        "total": 10000,
        "error_budget_remaining": 0.9,
        "burn_rates": {"1h": 0.1},
        "hour": m.WindowCounts(window="1h", sli=1.0, good=10, bad=0, total=10, error_budget_remaining=1.0),
        "policy": "p",
        "source": "s",
        "promise": "requests to checkout in prod without error",
        "period_s": 2592000,
        "allowed_downtime_s": 2592.0,
    }
    return m.Slo.model_validate(values | changes)


EMPTY = {"sli": None, "good": 0, "bad": 0, "total": 0, "error_budget_remaining": None, "burn_rates": {"1h": None}}
EMPTY_HOUR = m.WindowCounts(window="1h", sli=None, good=0, bad=0, total=0, error_budget_remaining=None)


def span(span_id: str = "a1", *, name: str = "GET /", depth: int = 0, error: bool = False, **changes: object) -> m.Span:
    values: dict[str, object] = {
        "span_id": span_id,
        "parent_span_id": "",
        "service": "checkout",
        "environment": "prod",
        "version": "1",
        "name": name,
        "kind": "server",
        "started_at": NOW,
        "offset_ms": 0.0,
        "duration_ms": 10.0,
        "depth": depth,
        "status": "error" if error else "unset",
        "status_message": "",
        "error": error,
        "scope": "",
        "attributes": {},
        "resource": {},
        "events": [],
        "links": [],
    }
    return m.Span.model_validate(values | changes)


def trace(*spans: m.Span) -> m.Trace:
    errors = sum(item.error for item in spans)
    return m.Trace(
        trace_id="t" * 32, started_at=NOW, duration_ms=10, services=["checkout"], errors=errors, spans=list(spans)
    )


def alert(alert_id: str = "a", **changes: object) -> m.Alert:
    values: dict[str, object] = {
        "id": alert_id,
        "slo_id": "checkout-availability",
        "service": "checkout",
        "environment": "prod",
        "severity": "page",
        "state": "firing",
        "started_at": NOW - timedelta(minutes=27),
        "resolved_at": None,
        "summary": f"{alert_id} burns",
        "exemplar_trace_ids": ["f" * 32],
    }
    return m.Alert.model_validate(values | changes)


def service(name: str = "checkout", **changes: object) -> m.Service:
    values: dict[str, object] = {
        "name": name,
        "environment": "prod",
        "versions": ["1"],
        "window_s": 900,
        "requests": 900,
        "errors": 9,
        "rate_per_s": 1.0,
        "error_ratio": 0.01,
        "p50_ms": 1.0,
        "p95_ms": 5.0,
        "p99_ms": 9.0,
        "last_seen": NOW,
    }
    return m.Service.model_validate(values | changes)


def status(**changes: object) -> m.Status:
    values: dict[str, object] = {
        "version": "1",
        "started_at": NOW - timedelta(minutes=2),
        "spans_stored": 5,
        "services": 1,
        "newest_span_at": NOW,
        "last_tick_at": NOW,
        "last_tick_error": "",
        "addresses": {},
        "ingest": [],
        "slo_files": [],
        "slo_errors": [],
        "notices": [],
    }
    return m.Status.model_validate(values | changes)


def run(run_id: str = "r", **changes: object) -> m.Run:
    values: dict[str, object] = {
        "id": run_id,
        "experiment": "redis-latency",
        "title": "redis slow",
        "status": "finished",
        "verdict": "held",
        "started_at": NOW - timedelta(minutes=10),
        "ended_at": NOW - timedelta(minutes=6),
        "heartbeat_at": NOW - timedelta(minutes=6),
    }
    return m.Run.model_validate(values | changes)


def minute(index: int, left: float | None, good: int = 99, bad: int = 1) -> m.SloMinute:
    at = NOW + timedelta(minutes=index)
    return m.SloMinute(at=at, good=good, bad=bad, total=good + bad, error_budget_remaining=left)


def annotation(kind: str, begin: int, end: int | None, services_: tuple[str, ...] = ()) -> m.Annotation:
    ended = None if end is None else NOW + timedelta(minutes=end)
    return m.Annotation(
        id="x", kind=kind, title="redis", started_at=NOW + timedelta(minutes=begin), ended_at=ended, services=services_
    )
