"""Why the small shop's budget is where it is, as the API answers for it."""

from datetime import timedelta

from api import models as m
from tests.unit.dashboard_answers import ATTACK, GUILTY, TRACE_ID, now


def forecast(scenario: str, span_h: int, hours_left: float | None) -> m.SloForecast:
    """A forecast that begins now with 2.4 % left, and ends after *hours_left* (None: not within 30 days)."""
    end = now() + timedelta(hours=hours_left) if hours_left is not None else None
    points = [(now() + timedelta(hours=hour), 0.024 - (0.012 * hour if hours_left else 0)) for hour in range(48)]
    return m.SloForecast(
        scenario=scenario,
        span_s=span_h * 3600,
        bad_per_minute=6.2 if hours_left else 0.4,
        total_per_minute=440,
        exhausted_at=end,
        recovers_at=None,
        curve=[m.ForecastPoint(at=at, error_budget_remaining=left) for at, left in points],
    )


def explanation(window_s: int) -> m.SloExplanation:
    return m.SloExplanation(
        start=now() - timedelta(seconds=window_s),
        end=now(),
        bad=976,
        total=395_100,
        looked_at=976,
        summary="81 % payments charge, 19 % other",
        spenders=[
            m.Spender(service="payments", operation="charge", share=0.81, requests=791),
            m.Spender(service="checkout", operation=ATTACK, share=0.12, requests=117),
            m.Spender(service="", operation="", share=0.07, requests=68),
        ],
        differences=[difference("service.version", "1.8.2", 0.88, 0.12), difference("http.route", "", 0.4, 0.1)],
        traces=[
            m.GuiltyTrace(
                trace_id=TRACE_ID,
                span_id=GUILTY,
                service="payments",
                operation="charge",
                why="the deepest failing span",
                duration_ms=223.0,
                at=now(),
            )
        ],
    )


def difference(attribute: str, value: str, in_bad: float, in_good: float) -> m.Difference:
    return m.Difference(
        attribute=attribute,
        value=value,
        good=round(in_good * 394_124),
        bad=round(in_bad * 976),
        share_in_bad=in_bad,
        share_in_good=in_good,
        lift=in_bad / in_good,
        low=in_bad - in_good - 0.03,
        high=in_bad - in_good + 0.03,
        budget_without=0.71,
        sampled=False,
    )


def correction() -> m.SloCorrection:
    return m.SloCorrection(
        at=now(),
        minute=now() - timedelta(hours=2),
        group="",
        good_before=440,
        bad_before=0,
        good_after=440,
        bad_after=12,
        verdict_before="met",
        verdict_after="missed",
        cause="late data",
    )


def backtest(asked: m.BacktestRequest) -> m.Backtest:
    outage = m.BacktestIncident(source="alert", title="checkout down", start=now(), end=now())
    quiet = m.BacktestIncident(source="annotation", title="slow mail", start=now(), end=None)
    return m.Backtest(
        slo_id=asked.slo_id,
        name="checkout",
        service="checkout",
        environment="prod",
        target=float(asked.target or 0),
        window="30d",
        start=now() - timedelta(days=7),
        end=now(),
        counted_from=now() - timedelta(days=3),
        sli=0.9991,
        good=9991,
        bad=9,
        total=10_000,
        alerts=[
            m.BacktestAlert(
                severity="page",
                fired_at=now() - timedelta(hours=2),
                resolved_at=now() - timedelta(hours=1),
                peak_burn_rate=21.0,
                budget_spent=0.03,
                summary=ATTACK,
                incidents=[outage.title],
            )
        ],
        pages=1,
        pages_per_week=1.0,
        precision=1.0,
        recall=0.5,
        incidents=[outage, quiet],
        missed=[quiet],
        worst_day=None,
    )


def backfill() -> m.Backfill:
    return m.Backfill(
        slo_id="checkout-availability",
        starts_at=now() - timedelta(days=14),
        ends_at=now(),
        done_until=now() - timedelta(days=7),
        progress=0.5,
        source="spans",
        started_at=now(),
        finished_at=None,
        minutes=10_080,
    )
