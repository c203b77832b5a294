"""A small shop as the API answers for it: services, SLOs, a trace, alerts, runs, caches and the status."""

from datetime import UTC, datetime, timedelta

from api import models as m

ATTACK = "<img src=x onerror=alert(1)>"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
GUILTY = "00f067aa0ba902b7"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def service(name: str, environment: str, requests: int, errors: int, p95: float | None) -> m.Service:
    return m.Service(
        name=name,
        environment=environment,
        versions=["1.8.2"],
        window_s=900,
        requests=requests,
        errors=errors,
        rate_per_s=requests / 900,
        error_ratio=errors / requests if requests else None,
        p50_ms=p95 / 4 if p95 else None,
        p95_ms=p95,
        p99_ms=p95 * 2 if p95 else None,
        last_seen=now() - timedelta(seconds=4),
    )


SERVICES = [
    ("checkout", "prod", 395_100, 16_594, 413.0),
    ("payments", "prod", 120_000, 9_120, 812.5),
    ("inventory", "prod", 210_400, 12, 38.2),
    ("web-gateway", "prod", 801_000, 402, 92.0),
    ("recommendations-engine-v2", "staging", 0, 0, None),
]


def condition(severity: str, long: str, short: str, factor: float) -> m.SloCondition:
    return m.SloCondition.model_validate(
        {
            "severity": severity,
            "long": long,
            "short": short,
            "factor": factor,
            "long_burn_rate": 14.24,
            "short_burn_rate": 15.1,
            "met": factor < 14.24,
            "has_data": True,
        }
    )


def _slo(slo_id: str, service: str, kind: str, state: str, left: float | None, **changes: object) -> m.Slo:
    total = 0 if left is None else 1_000_000
    bad = 0 if left is None else round((1 - left) * 1000)
    values: dict[str, object] = {
        "id": slo_id,
        "service": service,
        "name": slo_id.removeprefix(f"{service}-"),
        "objective": 0.999 if kind == "availability" else 0.95,
        "window": "30d",
        "environment": "prod",
        "draft": False,
        "kind": kind,
        "threshold_ms": 300.0 if kind == "latency" else None,
        "percentile_ms": 412.7 if kind == "latency" else None,
        "coverage": 1.0,
        "state": state,
        "provisional": False,
        "low_confidence": False,
        "sli": 1 - bad / total if total else None,
        "good": total - bad,
        "bad": bad,
        "total": total,
        "error_budget_remaining": left,
        "burn_rates": {"6h": 3.1, "5m": 15.1, "1h": 14.24, "3d": 0.9} if total else {"1h": None, "5m": None},
        "hour": m.WindowCounts(
            window="1h",
            sli=0.958 if total else None,
            good=958 if total else 0,
            bad=42 if total else 0,
            total=1000 if total else 0,
            error_budget_remaining=-41.0 if total else None,
        ),
        "policy": "burn-rate",
        "period_s": 30 * 86400,
        "allowed_downtime_s": 2592.0,
        "promise": f"requests to {service} in prod {'within 300 ms' if kind == 'latency' else 'without error'}",
        "conditions": [condition("page", "1h", "5m", 14.4), condition("ticket", "3d", "6h", 1.0)],
        "forecast": total > 0,
        "source": "slos/checkout.yaml",
        "as_of": now(),
    }
    return m.Slo.model_validate(values | changes)


def slos() -> list[m.Slo]:
    calm = {"5m": 0.1, "1h": 0.02, "6h": 0.2, "3d": 0.3}
    return [
        _slo("inventory-availability", "inventory", "availability", "ok", 0.972, burn_rates=calm, draft=True),
        _slo("checkout-availability", "checkout", "availability", "burning", 0.024, description="Buying must work."),
        _slo("payments-availability", "payments", "availability", "exhausted", -0.109),
        _slo("checkout-p95", "checkout", "latency", "at_risk", 0.2, provisional=True, coverage=0.031, draft=True),
        _slo("web-gateway-availability", "web-gateway", "availability", "ok", 0.61, burn_rates=calm),
        _slo("recommendations-engine-v2-availability", "recommendations-engine-v2", "availability", "no_data", None),
    ]


def _span(span_id: str, parent: str, service: str, name: str, place: tuple[float, float, int]) -> m.Span:
    offset, length, depth = place
    failed = span_id == GUILTY
    return m.Span(
        span_id=span_id,
        parent_span_id=parent,
        service=service,
        environment="prod",
        version="1.8.2",
        name=name,
        kind="server",
        started_at=now(),
        offset_ms=offset,
        duration_ms=length,
        depth=depth,
        status="error" if failed else "unset",
        status_message="card declined" if failed else "",
        error=failed,
        scope="opentelemetry.instrumentation.fastapi",
        attributes={"http.route": "/pay", "http.response.status_code": 500 if failed else 200, "note": ATTACK},
        resource={"service.name": service, "host.name": "node-1"},
        events=[
            m.SpanEvent(
                name="exception",
                offset_ms=12.0,
                attributes={"exception.type": "CardDeclined", "exception.stacktrace": "Traceback\n  line 1\n  line 2"},
            )
        ]
        if failed
        else [],
        links=[],
    )


def trace() -> m.Trace:
    spans = [
        _span("a000000000000001", "", "web-gateway", "GET /checkout", (0, 2400, 0)),
        _span("a000000000000002", "a000000000000001", "checkout", "POST /orders", (10, 2300, 1)),
        _span("a000000000000003", "a000000000000002", "inventory", ATTACK, (20, 0.7, 2)),
        _span("a000000000000004", "a000000000000002", "payments", "charge", (900, 976, 2)),
        _span(GUILTY, "a000000000000004", "payments", "INSERT payments", (950, 223, 3)),
        _span("a000000000000006", "a000000000000002", "checkout", "publish order.created", (2200, 80, 2)),
    ]
    return m.Trace(
        trace_id=TRACE_ID,
        started_at=now(),
        duration_ms=2400,
        services=["web-gateway", "checkout", "inventory", "payments"],
        errors=1,
        spans=spans,
    )


def _alert(alert_id: str, slo_id: str, severity: str, state: str, minutes_ago: int) -> m.Alert:
    started = now() - timedelta(minutes=minutes_ago)
    return m.Alert(
        id=alert_id,
        slo_id=slo_id,
        service="checkout",
        environment="prod",
        severity=severity,
        state=state,
        started_at=started,
        resolved_at=started + timedelta(minutes=9) if state == "resolved" else None,
        summary="checkout availability burns its 30-day budget 14.2 times too fast (1 h 14.2x, 5 m 15.1x, limit 14.4x)",
        exemplar_trace_ids=[TRACE_ID, "5bf92f3577b34da6a3ce929d0e0e4737"],
        details={
            "burn_rates": {"1h": 14.24, "5m": 15.1},
        },
        delivered=True,
        rule=slo_id,
        fired_at=None if state == "pending" else started,
        labels={"alertname": "SLOErrorBudgetBurn", "slo_id": slo_id, "service_name": "checkout", "environment": "prod"},
        incident_id="" if state == "pending" else "a-1",
    )


def alerts() -> list[m.Alert]:
    return [
        _alert("a-0", "payments-availability", "ticket", "resolved", 600),
        _alert("a-1", "checkout-availability", "page", "firing", 27),
        _alert("a-2", "checkout-p95", "ticket", "pending", 3),
        _alert("a-3", "inventory-p95", "ticket", "firing", 90).model_copy(update={"silenced_by": ["s-1"]}),
    ]


def runs() -> list[m.Run]:
    start = now() - timedelta(minutes=30)
    edges = [start + timedelta(seconds=offset) for offset in (0, 60, 180, 240)]
    finding = m.Finding(
        hypothesis="checkout stays available",
        service="checkout",
        sli="availability",
        verdict="deviated",
        control_bad=12,
        control_total=24_000,
        treatment_bad=990,
        treatment_total=24_010,
        difference=0.0407,
        interval_low=0.0381,
        interval_high=0.0434,
        margin=0.001,
        confidence=0.95,
        control_p95_ms=120.0,
        treatment_p95_ms=413.0,
        reason="the whole interval lies above the margin",
    )
    held = {"verdict": "held", "sli": "latency", "difference": 0.0, "interval_low": -0.0004, "interval_high": 0.0004}
    finished = m.Run(
        id="r-41",
        experiment="redis-latency",
        title="redis +300 ms",
        status="finished",
        verdict="deviated",
        started_at=start,
        ended_at=edges[-1],
        heartbeat_at=edges[-1],
        environment="prod",
        services=["checkout", "redis-cache"],
        method=[{"kind": "latency", "latency_ms": 300}],
        windows=[
            m.RunWindow(phase=phase, started_at=begin, ended_at=end)
            for phase, begin, end in zip(("baseline", "fault", "recovery"), edges, edges[1:], strict=False)
        ],
        findings=[finding, finding.model_copy(update=held)],
        summary="checkout did not stay available while redis was slow.",
    )
    running = {"id": "r-42", "status": "running", "verdict": None, "started_at": now() - timedelta(seconds=40)}
    fresh = {"ended_at": None, "heartbeat_at": now(), "title": "payments loses 20 %", "windows": [], "findings": []}
    return [finished, finished.model_copy(update=running | fresh)]


def caches() -> list[m.Cache]:
    start = now() - timedelta(hours=1)
    points = [
        m.CachePoint(
            at=start + timedelta(minutes=i), hits=0 if 20 <= i < 25 else 900 - i, misses=0 if 20 <= i < 25 else 130
        )
        for i in range(60)
    ]
    spans = m.Cache(
        name="redis-cache",
        service="checkout",
        environment="prod",
        source="spans",
        window_s=3600,
        hits=52_100,
        misses=7_150,
        hit_ratio=52_100 / 59_250,
        hit_latency=m.LatencyGroup(requests=52_100, p50_ms=0.4, p95_ms=1.2),
        miss_latency=m.LatencyGroup(requests=7_150, p50_ms=18.0, p95_ms=41.0),
        series=points,
    )
    changes = {"name": "page-cache", "source": "metrics", "hit_latency": None, "miss_latency": None, "hit_ratio": None}
    return [spans, spans.model_copy(update=changes | {"hits": 0, "misses": 0, "series": []})]


def status(*, empty: bool) -> m.Status:
    return m.Status(
        version="0.1.0",
        started_at=now() - timedelta(minutes=5),
        spans_stored=0 if empty else 1_234_567,
        services=0 if empty else 5,
        newest_span_at=None if empty else now() - timedelta(seconds=3),
        last_tick_at=now(),
        last_tick_error="",
        addresses={"otlp_http": "http://127.0.0.1:14318"},
        ingest=[
            m.IngestStatus(
                signal="traces",
                accepted_items=0 if empty else 1_234_567,
                spool_bytes=0,
                spool_segments=0,
                last_stored_at=None,
                dead_letters=0,
                last_error="",
            )
        ],
        slo_files=["slos/checkout.yaml"],
        slo_errors=[m.SloFileError(file="slos/broken.yaml", line=7, reason=f"target must be below 1 {ATTACK}")],
        notices=["The disk budget is not set."],
    )
