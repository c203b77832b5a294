"""Reference timelines by the pure functions: 99.9 % over 30 days, 6,000 requests a minute, three healthy days."""

import pytest

from tests.slo_objective import objective, read
from tests.unit.slo_history import History

RATE = 6000
DAYS_BEFORE = 3 * 1440
SLO = read(objective())


def after_three_days(*phases):
    """Return the history of three healthy days and *phases*: (minutes, share of bad requests or None for idle)."""
    healthy = [(RATE, 0)] * DAYS_BEFORE
    later = [
        (0, 0) if share is None else (RATE - round(RATE * share), round(RATE * share))
        for minutes, share in phases
        for _ in range(minutes)
    ]
    return History(healthy + later, first=-DAYS_BEFORE), range(len(later) + 1)


@pytest.mark.parametrize(
    ("phases", "changes"),
    [
        pytest.param([(10, 0.15), (2000, 0)], [(6, "page", "firing"), (15, "page", "resolved")], id="15 % for 10 min"),
        pytest.param([(90, 0.02), (2000, 0)], [(44, "page", "firing"), (92, "page", "resolved")], id="2 % for 90 min"),
        pytest.param([(60, 0), (30, None), (2000, 0)], [], id="30 idle minutes"),
        # half as many requests in the hour: half as many errors are too many
        pytest.param([(30, None), (10, 0.15)], [(33, "page", "firing")], id="idle before the errors"),
        pytest.param(
            [(1, 1.0), (2000, 0)], [(1, "page", "firing"), (6, "page", "resolved")], id="an outage of one minute"
        ),
        # burns at 10: too slow for 1h/5m; after 216 minutes the 6 h have burnt at exactly 6, which is not above 6
        pytest.param(
            [(240, 0.01), (2000, 0)], [(217, "page", "firing"), (252, "page", "resolved")], id="1 % for 4 hours"
        ),
        pytest.param([(2000, 0.001)], [], id="exactly what the target allows"),
    ],
)
def test_alerts_change_exactly_when_the_workbook_says(phases, changes):
    history, minutes = after_three_days(*phases)
    assert history.changes(SLO, minutes) == changes


def test_idle_minutes_touch_neither_the_sli_nor_the_budget():
    history, _ = after_three_days((1, 0.15), (29, 0), (30, None))
    before, idle = history.judge(SLO, 30), history.judge(SLO, 60)
    assert before.error_budget_remaining < 1
    assert (idle.sli, idle.counts, idle.error_budget_remaining) == (
        before.sli,
        before.counts,
        before.error_budget_remaining,
    )
