"""A report with everything in it that a report can hold, and with text that wants to be markup."""

from datetime import UTC, datetime, timedelta

from api import models as m

START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def figures(good, bad, budget, *, met):
    total = good + bad
    sli = good / total if total else None
    return m.ReportFigures(good=good, bad=bad, total=total, sli=sli, error_budget_remaining=budget, met=met)


def incident(day, seconds, severity, summary):
    start = START + day * DAY
    end = None if seconds is None else start + timedelta(seconds=seconds)
    return m.ReportIncident(
        alert_id=f"a-{day}", severity=severity, start=start, end=end, duration_s=seconds, summary=summary
    )


CHECKOUT = m.ReportSlo(
    id="checkout-availability",
    name="Checkout <b>availability</b>",
    service="checkout",
    environment="prod",
    draft=False,
    target="0.999",
    window="30d",
    judged=figures(2_599_300, 700, 0.7307, met=True),
    today=figures(2_599_300, 700, -1.6924, met=False),
    judged_in_full=figures(2_599_300, 5_700, -0.1882, met=False),
    today_in_full=figures(2_599_300, 5_700, -10.88, met=False),
    excluded_s=5400,
    coverage=1.0,
    nines=3,
    incidents=[
        incident(4, 2712.0, "page", '7.3 % of requests failed | <script>alert("x")</script>'),
        incident(28, None, "ticket", "2 % of `requests` failed in the last 6 hours"),
    ],
    changes=[
        m.ReportChange(
            number=3,
            at=START + 9 * DAY,
            author="ada",
            commit="c0ffee0123456789c0ffee0123456789c0ffee01",
            text='target 0.999 -> 0.9999; indicator.filter none -> http.route = "/pay" and duration_ms < 5',
        )
    ],
    spenders=[
        m.ReportSpender(service="payments", operation="POST /charge", share=0.62),
        m.ReportSpender(service="checkout", operation="GET /*", share=0.3),
        m.ReportSpender(service="", operation="", share=0.08),
    ],
    charged=4_100,
    end_then=m.ReportEnd(state="ok", error_budget_remaining=0.7512),
    end_today=m.ReportEnd(state="exhausted", error_budget_remaining=-1.488),
)
SEARCH = m.ReportSlo(
    id="search-latency",
    name="Search p95",
    service="search",
    environment="",
    draft=True,
    target="0.95",
    window="calendar month (Europe/Berlin)",
    judged=figures(0, 0, None, met=None),
    today=figures(0, 0, None, met=None),
    judged_in_full=None,
    today_in_full=None,
    excluded_s=0,
    coverage=0.0,
    nines=None,
    incidents=[],
    changes=[],
    spenders=None,
    charged=0,
    end_then=None,
    end_today=None,
)
TOTALS = m.ReportTotals(objectives=2, met=1, missed=0, without_data=1, pages=1, tickets=1, mean_duration_s=2712.0)
REPORT = m.SloReport(month="2026-10", start=START, end=END, complete=True, slos=[CHECKOUT, SEARCH], totals=TOTALS)
