"""What the API answers of signals: requests and budgets over time, ingest, checks, metrics and logs."""

import math
from collections.abc import Callable
from datetime import timedelta

from api import models as m
from tests.unit.dashboard_answers import ATTACK, GUILTY, TRACE_ID, now


def red_points(window_s: int) -> list[m.RedPoint]:
    start = now() - timedelta(seconds=window_s)
    step = max(window_s // 60, 15)
    points = []
    for i in range(60):
        requests = 0 if 30 <= i < 34 else 26_000 + round(4000 * math.sin(i / 6))
        slow = 413.0 if i > 40 else 120.0
        points.append(
            m.RedPoint(
                at=start + timedelta(seconds=i * step),
                requests=requests,
                errors=round(requests * (0.04 if i > 40 else 0.0005)),
                p50_ms=slow / 4 + i % 5 if requests else None,
                p95_ms=slow + 3 * (i % 7) if requests else None,
            )
        )
    return points


def minutes(window_s: int, step_s: int) -> list[m.SloMinute]:
    amount = window_s // step_s
    start = now() - timedelta(seconds=window_s)
    points = []
    for i in range(amount):
        quiet = amount // 3 < i < amount // 3 + 5
        total = 0 if quiet else 1000
        bad = 0 if quiet else 45 if i > amount * 0.7 else 1
        left = None if quiet else 0.9 - 0.2 * i / amount - (max(i - amount * 0.7, 0) / amount) * 3
        points.append(
            m.SloMinute(
                at=start + timedelta(seconds=i * step_s),
                good=total - bad,
                bad=bad,
                total=total,
                error_budget_remaining=left,
            )
        )
    return points


Kept = Callable[[list], list]  # returns the items it is given, or none of them before the first span


def ingest(window_s: int, kept: Kept) -> m.IngestHealth:
    counts = dict.fromkeys(
        ["received_items", "accepted_items", "rejected_items", "repeated_items", "refused_items", "found_items",
         "waiting_items", "stored_items", "put_aside_items", "unaccounted_items", "dead_letters", "damaged_requests",
         "spool_bytes", "shedding_level"], 3,
    )  # fmt: skip
    stage = m.IngestStage(
        collector="here:4318", signal="traces", at=now(), started_at=now() - timedelta(hours=1), refused_requests={},
        spool_fill=0.1, spool_oldest_s=2.0, breaker="closed", breaker_s=9.0, last_stored_at=now(), last_error=ATTACK,
        final=False, **counts,
    )  # fmt: skip
    alarm = m.IngestAlarm(
        alarm="dead_letters", severity="warning", collector="here:4318", signal="traces", text=ATTACK, remedy="replay"
    )
    points = [
        m.IngestPoint(
            signal="traces", at=now() - timedelta(minutes=9 - i), received=60, stored=60, rejected=0, refused=0,
            refused_requests=0,
        )
        for i in range(5)
    ]  # fmt: skip
    volumes = [
        m.ServiceVolume(service=ATTACK, environment="prod", signal=signal, items=60, last_at=now())
        for signal in ("traces", "logs")
    ]
    letter = m.DeadLetter(signal="traces", at=now(), items=None, size_bytes=10, reason=ATTACK, file="traces-1-0.pb")
    return m.IngestHealth(
        as_of=now(), window_s=window_s, step_s=60, alarms=kept([alarm]), stages=kept([stage]), series=kept(points),
        services=kept(volumes), dead_letters=kept([letter]),
    )  # fmt: skip


def finding() -> m.TelemetryFinding:
    return m.TelemetryFinding(
        check="orphan_spans", service="checkout", environment="prod", severity="critical", finding=ATTACK,
        remedy="set X=1", evidence={"orphans": 3.0}, examples=[TRACE_ID, ATTACK],
    )  # fmt: skip


def metric_name() -> m.MetricName:
    return m.MetricName(
        metric="pay.duration", type="histogram", unit="ms", services=["checkout"], series=1, last_seen=now()
    )


def metric(window_s: int) -> m.Metric:
    steps = [m.MetricStep(at=now() - timedelta(minutes=9 - i), value=1.0, quantiles={"0.95": 20.0}) for i in range(5)]
    exemplar = m.Exemplar(at=now(), value=25.0, trace_id=TRACE_ID, span_id=GUILTY, attributes={"note": ATTACK})
    return m.Metric(
        kind=metric_name(), kinds=[metric_name()], start=now() - timedelta(seconds=window_s), end=now(), step_s=60,
        shown=1, total=1, warnings=["bounds do not fit"], items=[m.MetricSeries(labels={"route": ATTACK}, steps=steps)],
        exemplars=[exemplar],
    )  # fmt: skip


def log(index: int) -> m.LogRecord:
    return m.LogRecord(
        at=now() - timedelta(seconds=index), observed_at=None, service="checkout", environment="prod",
        severity_number=17, severity_text="ERROR", body=f"{ATTACK} {index}", event_name="", trace_id=TRACE_ID,
        span_id=GUILTY, attributes={"note": ATTACK}, dropped_attributes=0, resource={}, scope="",
    )  # fmt: skip
