"""Runs of experiments as the API tells of them: judged, going on, stopped, imported, and hostile."""

from datetime import UTC, datetime, timedelta
from typing import Any

from api import models as m

NOW = datetime(2026, 11, 22, 14, 5, 12, tzinfo=UTC)
ATTACK = "<img src=x onerror=alert(1)>"
RIGHT_TO_LEFT = "\u202egnihton skaerb\u202c שלום"
HOSTILE = f"{ATTACK} {RIGHT_TO_LEFT} </script>]]>&amp; " + "x" * 10_000
TRACES = [f"{number:032x}" for number in range(1, 7)]
METHOD: list[dict[str, Any]] = [
    {"kind": "latency", "target": "orders-cache", "latency": 400, "jitter": 50, "distribution": "normal"}
]
PLANNED = {"baseline": 30.0, "fault": 120.0, "recovery": 20.0}


def availability(**changes: Any) -> m.Finding:
    """Return a finding: the shop failed far more often than its margin allows."""
    values: dict[str, Any] = {
        "hypothesis": "gateway availability: at most 1 point more failed requests",
        "service": "gateway",
        "sli": "availability",
        "verdict": "deviated",
        "control_bad": 12,
        "control_total": 24_000,
        "treatment_bad": 990,
        "treatment_total": 24_010,
        "difference": 990 / 24_010 - 12 / 24_000,
        "interval_low": 0.0382,
        "interval_high": 0.0433,
        "margin": 0.01,
        "confidence": 0.95,
        "control_p95_ms": 120.0,
        "treatment_p95_ms": 413.0,
        "p95_difference_low_ms": 271.4,
        "p95_difference_high_ms": 318.9,
        "reason": "the whole interval is beyond the margin",
    }
    return m.Finding.model_validate(values | changes)


def latency(**changes: Any) -> m.Finding:
    """Return a finding: hardly more requests were slow."""
    values: dict[str, Any] = {
        "hypothesis": "gateway latency: at most 5 points more requests over 250 ms",
        "sli": "latency",
        "threshold_ms": 250.0,
        "verdict": "held",
        "control_bad": 480,
        "treatment_bad": 505,
        "difference": 0.00103,
        "interval_low": -0.00148,
        "interval_high": 0.00354,
        "margin": 0.05,
        "reason": "the whole interval is within the margin",
    }
    return availability(**(values | changes))


def undecided(**changes: Any) -> m.Finding:
    """Return a finding of too few requests."""
    values: dict[str, Any] = {
        "verdict": "inconclusive",
        "control_bad": 0,
        "control_total": 41,
        "treatment_bad": 2,
        "treatment_total": 43,
        "difference": 2 / 43,
        "interval_low": -0.0451,
        "interval_high": 0.1545,
        "control_p95_ms": 118.0,
        "treatment_p95_ms": None,
        "p95_difference_low_ms": None,
        "p95_difference_high_ms": None,
        "samples_needed": 1_826,
        "reason": "41 requests in the smaller window, 100 are asked for: 59 more",
    }
    return availability(**(values | changes))


def windows(start: datetime) -> list[m.RunWindow]:
    """Return the three phases of a run that started at *start*."""
    edges = [start + timedelta(seconds=offset) for offset in (0, 30, 150, 170)]
    return [
        m.RunWindow(phase=phase, started_at=begin, ended_at=end)
        for phase, begin, end in zip(PLANNED, edges, edges[1:], strict=False)
    ]


def events(start: datetime) -> list[m.RunEvent]:
    """Return what a run told of itself."""
    told = (
        (-1, "preflight", "checking the daemon, the API and the traffic"),
        (0, "baseline", "watching 30 s of traffic before anything is broken"),
        (30, "fault", "latency on orders-cache for 120 s"),
        (150, "recovery", "reverted and verified; watching 20 s of recovery"),
        (170, "counting", "waiting for the last spans to be stored"),
        (178, "finished", "Deviated: the fault hurt more than the hypothesis allows."),
    )
    return [m.RunEvent(at=start + timedelta(seconds=after), step=step, message=text) for after, step, text in told]


def preflight(**changes: Any) -> m.Preflight:
    """Return a pre-flight that lets the run begin."""
    values: dict[str, Any] = {
        "experiment": "cache-latency",
        "title": "The catalog's cache answers 400 ms late",
        "environment": "demo",
        "services": ["gateway", "orders"],
        "method": METHOD,
        "comparison": "concurrent",
        "share": 0.3,
        "duration_s": 170.0,
        "hypothesis": [availability().hypothesis, latency().hypothesis],
        "checks": [
            m.RunCheck(name="target found", ok=True, detail="orders-cache is a proxy of the fault daemon"),
            m.RunCheck(name="no firing alert", ok=True, detail="no alert fires on gateway or orders"),
            m.RunCheck(name="enough traffic", ok=False, detail="41 requests a minute, 100 are better", blocks=False),
        ],
        "affected": ["gateway", "orders", "web"],
        "predicted": [
            m.PredictedCost(
                slo_id="gateway-availability",
                budget_remaining=0.41,
                predicted_share=0.018,
                explanation="30 % of 200 requests a second for 120 s, all failing",
            ),
            m.PredictedCost(
                slo_id="orders-p95", budget_remaining=None, predicted_share=None, explanation="no traffic was counted"
            ),
        ],
        "safeguards": ["stop when the treated requests burn the budget 10 times too fast", "lease of 10 s"],
    }
    return m.Preflight.model_validate(values | changes)


def blocked(**changes: Any) -> m.Preflight:
    """Return a pre-flight that refuses the run, with its reason."""
    reason = m.RunCheck(
        name="no firing alert", ok=False, detail="gateway-availability fires since 13:58 UTC; wait until it is resolved"
    )
    return preflight(**({"checks": [*preflight().checks[:1], reason]} | changes))


def outcome() -> m.Outcome:
    """Return everything that a run may have done."""
    return m.Outcome(
        budget=[
            m.BudgetCost(
                slo_id="gateway-availability",
                total=80_000,
                bad=1_030,
                organic_bad=40.0,
                chaos_bad=990.0,
                chaos_share=0.0214,
                organic_share=0.0009,
                predicted_share=0.018,
            ),
            m.BudgetCost(
                slo_id="orders-p95",
                total=0,
                bad=0,
                organic_bad=0.0,
                chaos_bad=0.0,
                chaos_share=None,
                organic_share=None,
            ),
        ],
        propagation=[
            m.EdgeEffect(
                client="gateway",
                server="orders",
                control_calls=24_000,
                control_errors=12,
                treatment_calls=31_213,
                treatment_errors=990,
                control_p95_ms=38.4,
                treatment_p95_ms=441.0,
                calls_per_request_control=1.0,
                calls_per_request_treatment=1.3,
                error_difference_low=0.0291,
                error_difference_high=0.0335,
                note="retries amplified the calls 1.3 times",
            ),
            m.EdgeEffect(
                client="orders",
                server="postgres",
                control_calls=0,
                control_errors=0,
                treatment_calls=0,
                treatment_errors=0,
                control_p95_ms=None,
                treatment_p95_ms=None,
                calls_per_request_control=None,
                calls_per_request_treatment=None,
            ),
        ],
        caches=[m.CacheEffect(service="orders", cache="catalog", control_ratio=0.931, treatment_ratio=0.61)],
        exemplars={"control": TRACES[:3], "treatment": TRACES[3:]},
        recovered_after_s=9.0,
        alerts=[
            m.ExpectedAlert(
                alert="gateway-availability", expected=True, fired=True, after_s=64.0, within_s=120.0, alert_id="a-1"
            ),
            m.ExpectedAlert(alert="orders-p95", expected=True, fired=False, after_s=None, within_s=120.0),
            m.ExpectedAlert(alert="catalog-p95", expected=False, fired=True, after_s=80.0, alert_id="a-2"),
        ],
        versions={"gateway": ["1.8.2"], "orders": ["2.0.0", "2.0.1"]},
    )


def run(run_id: str = "cache-latency-1", *, start: datetime = NOW - timedelta(minutes=30), **changes: Any) -> m.Run:
    """Return a run that was judged: one line of its hypothesis deviated, the other held."""
    values: dict[str, Any] = {
        "id": run_id,
        "experiment": "cache-latency",
        "title": "The catalog's cache answers 400 ms late",
        "status": "finished",
        "verdict": "deviated",
        "started_at": start,
        "ended_at": start + timedelta(seconds=178),
        "heartbeat_at": start + timedelta(seconds=178),
        "environment": "demo",
        "services": ["gateway", "orders"],
        "method": METHOD,
        "comparison": "concurrent",
        "groups": m.Groups(share=0.3, seed="abc"),
        "hypothesis": [availability().hypothesis, latency().hypothesis],
        "planned_s": PLANNED,
        "windows": windows(start),
        "findings": [availability(), latency()],
        "validity": [
            m.RunCheck(name="sample ratio", ok=True, detail="24,000 and 24,010 requests, p = 0.96"),
            m.RunCheck(name="fault seen in spans", ok=True, detail="orders-cache p50 went from 4 ms to 405 ms"),
            m.RunCheck(name="control untouched", ok=True, detail="control p95 120 ms, baseline 118 ms"),
        ],
        "preflight": preflight(),
        "events": events(start),
        "outcome": outcome(),
        "document": {"title": "The catalog's cache answers 400 ms late", "method": [{"latency_injection": METHOD[0]}]},
        "summary": "Deviated: the fault hurt more than the hypothesis allows.",
    }
    return m.Run.model_validate(values | changes)


def running(run_id: str = "cache-latency-2", *, now: datetime = NOW, after_s: float = 72.0) -> m.Run:
    """Return a run in the middle of its fault, *after_s* seconds after its start."""
    start = now - timedelta(seconds=after_s)
    told = [event for event in events(start) if event.at <= now]
    past = [window for window in windows(start) if window.ended_at <= now]
    unknown = {"verdict": None, "ended_at": None, "findings": [], "validity": [], "outcome": None, "summary": ""}
    return run(run_id, start=start, status="running", heartbeat_at=now, windows=past, events=told, **unknown)


def stopped(run_id: str = "cache-latency-3") -> m.Run:
    """Return a run that a person ended early."""
    start = NOW - timedelta(minutes=50)
    told = [
        *events(start)[:3],
        m.RunEvent(at=start + timedelta(seconds=72), step="stop", message="stopped by Ann: customers complain"),
        m.RunEvent(at=start + timedelta(seconds=73), step="aborted", message="the fault was reverted and verified"),
    ]
    return run(
        run_id,
        start=start,
        status="aborted",
        verdict="aborted",
        ended_at=start + timedelta(seconds=73),
        findings=[],
        validity=[],
        outcome=None,
        windows=windows(start)[:1],
        events=told,
        summary="Aborted: stopped by Ann: customers complain.",
    )


def activity(name: str, kind: str, **changes: Any) -> dict[str, Any]:
    """Return one activity of a Chaos Toolkit journal."""
    return {
        "activity": {"type": kind, "name": name, "provider": {"type": "python", "module": "shop", "func": "ask"}},
        "status": "succeeded",
        "start": "2026-11-22T13:35:12.000000",
        "end": "2026-11-22T13:35:13.250000",
        "duration": 1.25,
        "output": 200,
    } | changes


def journal() -> dict[str, Any]:
    """Return a Chaos Toolkit journal: a steady state, two activities, a rollback."""
    failed = {"status": "failed", "output": None, "exception": ["Traceback\n", "ActivityFailed: no such container\n"]}
    return {
        "chaoslib-version": "1.44.0",
        "platform": "Linux",
        "status": "completed",
        "deviated": True,
        "steady_states": {
            "before": {"steady_state_met": True, "probes": [activity("shop answers", "probe", tolerance_met=True)]},
            "after": {"steady_state_met": False, "probes": [activity("shop answers", "probe", tolerance_met=False)]},
            "during": [{"steady_state_met": True, "probes": [activity("shop answers meanwhile", "probe")]}],
        },
        "run": [activity("slow the cache", "action"), activity(f"count {ATTACK}", "probe", **failed)],
        "rollbacks": [activity("heal the cache", "action")],
    }


def imported(run_id: str = "imported-1") -> m.Run:
    """Return a run of the Chaos Toolkit whose journal was handed in."""
    plain = {"groups": None, "comparison": "before/after", "preflight": None, "outcome": None, "validity": []}
    return run(
        run_id,
        experiment="shop-stays-up",
        title="Shop stays up",
        source="imported",
        journal=journal(),
        method=[{"kind": "action", "target": "slow the cache"}],
        findings=[undecided()],
        verdict="inconclusive",
        events=[],
        summary="Inconclusive: the data do not decide.",
        **plain,
    )


def refused(run_id: str = "cache-latency-4") -> m.Run:
    """Return a run that the pre-flight did not let begin."""
    nothing = {"findings": [], "validity": [], "outcome": None, "windows": [], "verdict": None, "events": []}
    summary = "Not run: gateway-availability fires since 13:58 UTC."
    return run(run_id, status="failed", preflight=blocked(), summary=summary, **nothing)


def hostile(run_id: str = "hostile") -> m.Run:
    """Return a run whose every text was written by an enemy, and more of everything than a page can show."""
    finding = availability(hypothesis=HOSTILE, service=HOSTILE, reason=HOSTILE)
    check = m.RunCheck(name=HOSTILE, ok=False, detail=HOSTILE)
    found = outcome().model_copy(
        update={
            "budget": [item.model_copy(update={"slo_id": HOSTILE}) for item in outcome().budget] * 50,
            "propagation": [
                item.model_copy(update={"client": HOSTILE, "server": HOSTILE, "note": HOSTILE})
                for item in outcome().propagation
            ]
            * 50,
            "caches": [m.CacheEffect(service=HOSTILE, cache=HOSTILE, control_ratio=None, treatment_ratio=0.00001)] * 50,
            "exemplars": {HOSTILE: [HOSTILE], "control": ["javascript:alert(1)"] * 50},
            "alerts": [m.ExpectedAlert(alert=HOSTILE, expected=True, fired=True, after_s=1.0, alert_id=HOSTILE)] * 50,
            "versions": {HOSTILE: [HOSTILE] * 50},
        }
    )
    broken = [activity(HOSTILE, HOSTILE, output=HOSTILE, status=HOSTILE, exception=[HOSTILE])] * 100
    return run(
        run_id,
        experiment=HOSTILE,
        title=HOSTILE,
        environment=HOSTILE,
        services=[HOSTILE] * 20,
        method=[{"kind": HOSTILE, "target": HOSTILE, HOSTILE: HOSTILE}] * 20,
        hypothesis=[HOSTILE] * 20,
        findings=[finding] * 40,
        validity=[check] * 40,
        preflight=preflight(title=HOSTILE, checks=[check] * 40, services=[HOSTILE], affected=[HOSTILE] * 40),
        events=[m.RunEvent(at=NOW, step=HOSTILE, message=HOSTILE)] * 500,
        windows=[window.model_copy(update={"phase": HOSTILE}) for window in windows(NOW)],
        outcome=found,
        document={HOSTILE: [HOSTILE] * 20},
        journal={**journal(), "run": broken, "steady_states": HOSTILE, "rollbacks": None},
        summary=HOSTILE,
    )


def summary_of(item: m.Run) -> m.RunSummary:
    """Return *item* as a list tells it."""
    costs = item.outcome.budget if item.outcome else []
    shares = [cost.chaos_share for cost in costs if cost.chaos_share is not None]
    return m.RunSummary.model_validate(item.model_dump() | {"chaos_share": max(shares, default=None)})
