"""Alerts with their evidence: one as it is on a bad night, one with whatever a sender may send."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from alerts import evidence as e
from alerts.transition import AlertDetails, ConditionDetails, Transition, WindowDetails

AT = datetime(2026, 3, 1, 3, 14, 15, tzinfo=UTC)
END = datetime(2026, 3, 1, 3, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "\u202egnp.exe",
    "\"'&<!--acknowledge-->",
    "שלום עולם",
    "\x00\x1b[31m",
    "名前" * 20,
)


def transition(**fields):
    details = AlertDetails(
        "SLOErrorBudgetBurn",
        "checkout availability",
        target=Decimal("0.999"),
        error_budget_remaining=0.31,
        conditions=(
            ConditionDetails(True, 14.4, WindowDetails("1h", 92_113, 7_887, 100_000, 78.87), window("5m", 1_230)),
            ConditionDetails(True, 6.0, WindowDetails("6h", 592_113, 7_887, 600_000, 13.1), window("30m", 7_230)),
            ConditionDetails(False, 1.0, WindowDetails("3d", 1, 0, 1, 0.0), window("6h", 0)),
        ),
    )
    given = {
        "alert_id": "checkout-availability-page-29537474",
        "sequence": 1,
        "slo_id": "checkout-availability",
        "service": "checkout",
        "environment": "prod",
        "severity": "page",
        "state": "firing",
        "at": AT,
        "started_at": AT,
        "fired_at": AT,
        "resolved_at": None,
        "summary": "14.7 % of requests to checkout in prod failed in the last 5 minutes (1,230 of 8,330)",
        "details": details,
    }
    return Transition(**{**given, **fields})


def window(name, bad):
    return WindowDetails(name, 8_330 - bad, bad, 8_330, bad / 8.33)


def trace(number=0, **fields):
    given = {
        "trace_id": f"{number:032x}",
        "route": "/pay",
        "started_at": END - MINUTE,
        "duration_ms": 812.4,
        "error": True,
        "guilty_span_id": "6",
        "guilty_service": "payments",
        "guilty_operation": "POST /charge",
    }
    return e.EvidenceTrace(**{**given, **fields})


def span(span_id, parent="", *, offset=0.0, ms=10.0, **fields):
    given = {"service": "checkout", "operation": f"op {span_id}", "error": False, "guilty": False}
    return e.TraceSpan(span_id, parent, offset_ms=offset, duration_ms=ms, **{**given, **fields})


def evidence(**fields):
    given = {
        "alert_id": transition().alert_id,
        "gathered_at": AT,
        "start": END - timedelta(hours=1),
        "end": END,
        "summary": "",
        "error_budget_spent": 0.12,
        "error_budget_remaining": 0.31,
        "forecasts": (e.Forecast(1, END + timedelta(hours=5)), e.Forecast(6, None), e.Forecast(24, END)),
        "traces": (trace(), trace(1)),
        "trace_spans": (span("1", ms=812.4, error=True), span("6", "1", offset=40, ms=764, error=True, guilty=True)),
        "trace_span_count": 2,
        "spenders": (e.Spender("payments", "POST /charge", 7_100, 0.9), e.Spender("", "other", 787, 0.1)),
        "differences": (
            e.Difference("http.route", "/pay", 0.97, 0.12, 8.1),
            e.Difference("service.version", "2.3.1", 0.93, 0.04, 23.2),
            e.Difference("exception.type", "CardGatewayTimeout", 0.9, 0.0, None),
        ),
        "deployments": (e.Deployment("payments", "2.3.1", "2.3.0", END - 16 * MINUTE),),
        "experiments": (e.Experiment("r1", "Payments loses its card gateway", END - 13 * MINUTE, None),),
        "logs": (e.LogLine(END - MINUTE, "ERROR", "payments", "card gateway did not answer", "0" * 32),),
        "past": (e.PastAlert("p1", END - timedelta(days=9), 1300.0, "the provider was down"),),
        "owner": "team-checkout",
        "runbook": "https://runbooks.example/checkout",
        "since": END - 13 * MINUTE,
    }
    return e.Evidence(**{**given, **fields})


words = st.one_of(
    st.sampled_from([*HOSTILE, "x" * 10_000, "<" * 10_000, '"' * 10_000, "\U0001f431" * 3_000, "ạ̈́" * 5_000, ""]),
    st.text(max_size=300),
)
ratios = st.one_of(st.floats(0, 1), st.just(1e-12))
amounts = st.one_of(st.integers(0, 10**15), st.just(0))
times = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
lengths = st.floats(0, 1e12)


def several(strategy, most):
    return st.lists(strategy, max_size=most).map(tuple)


spans = st.builds(
    e.TraceSpan,
    st.sampled_from("abcdef"),
    st.sampled_from("abcdef-"),
    words,
    words,
    lengths,
    lengths,
    st.booleans(),
    st.booleans(),
)
hostile_evidence = st.builds(
    evidence,
    summary=words,
    error_budget_spent=st.none() | st.floats(0, 1e6),
    error_budget_remaining=st.none() | st.floats(-1e6, 1),
    traces=several(
        st.builds(
            trace,
            st.integers(0, 2**64),
            route=words,
            guilty_service=words,
            guilty_operation=words,
            guilty_message=words,
            error=st.booleans(),
        ),
        5,
    ),
    trace_spans=several(spans, 60),
    trace_span_count=st.integers(0, 10**6),
    spenders=several(st.builds(e.Spender, words, words, amounts, ratios), 12),
    differences=several(st.builds(e.Difference, words, words, ratios, ratios, st.none() | st.floats(0, 1e9)), 15),
    deployments=several(st.builds(e.Deployment, words, words, words, times), 15),
    experiments=several(st.builds(e.Experiment, words, words, times, st.none() | times), 15),
    logs=several(st.builds(e.LogLine, times, words, words, words, words), 30),
    past=several(st.builds(e.PastAlert, words, times, st.none() | lengths, words), 8),
    owner=words,
    runbook=st.one_of(
        words, st.sampled_from(["javascript:alert(1)", "https://r.example/" + "a" * 10_000, "http://[bad"])
    ),
    missing=several(words, 11),
    since=st.none() | times,
)
hostile_transition = st.builds(
    lambda text, service, name: transition(summary=text, service=service, details=AlertDetails("a", name)),
    words,
    words,
    words,
)
