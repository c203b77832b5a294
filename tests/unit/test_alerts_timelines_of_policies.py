"""Timelines of budgets and forecasts, and of policies that change while an alert fires; see `alert_timeline`.

Over an hour of 6,000 requests a target of 90 % allows 600 bad ones: six minutes of an outage.
"""

import pytest

from tests.unit.decision_timeline import happened
from tests.unit.test_alerts_timelines import ONCE, OUTAGE, PAGE, cases, check

HOUR = "none | window 1h"


@cases(
    (
        "a low budget is a ticket, an exhausted one a page, and both end as the window moves on",
        "6x100 70x0",
        f"{PAGE} | window 1h | budget 25% ticket; 0% page",
        (
            "1 page firing, 5 budget-25 ticket firing, 6 budget-0 page firing, 7 page resolved, "
            "61 budget-0 page resolved, 62 budget-25 ticket resolved"
        ),
    ),
    (
        "exactly a quarter left is low",
        "4x100 1x50 70x0",
        f"{HOUR} | budget 25% ticket",
        "5 budget-25 ticket firing, 61 budget-25 ticket resolved",
    ),
    ("one bad request less is not", "4x100 1x49 70x0", f"{HOUR} | budget 25% ticket", ""),
    (
        "without any event the budget is not known, and nothing ends",
        "6x100 10x- 3x0",
        "none | window 5m | budget 0% page",
        "1 budget-0 page firing, 17 budget-0 page resolved",
    ),
    (
        "an error-budget policy that notifies is a ticket",
        "3x100 70x0",
        f"{HOUR} | actions 50% notify; 0% close-gate",
        "3 budget-50 ticket firing, 61 budget-50 ticket resolved",
    ),
    (
        "a policy and a budget alert of the same share are one ticket",
        "3x100 20x0",
        f"{HOUR} | budget 50% ticket | actions 50% notify",
        "3 budget-50 ticket firing",
    ),
    (
        "the delays of the objective hold for its budget alerts too",
        "6x100 70x0",
        f"{HOUR} | budget 5% page | for 2m | keep 3m",
        "6 budget-5 page pending, 8 budget-5 page firing, 61 budget-5 page waits, 64 budget-5 page resolved",
    ),
    (
        # 400 bad in the hour are 6 2/3 a minute: 600 after exactly 30 minutes, unless the first of them leave before
        "a budget that is gone in exactly so long is told of",
        "4x100 40x0",
        f"{HOUR} | exhaustion 30m ticket",
        "4 exhaustion ticket firing, 31 exhaustion ticket resolved",
    ),
    ("a budget that lasts a minute longer is not", "4x100 40x0", f"{HOUR} | exhaustion 29m ticket", ""),
    (
        "an exhausted budget has run out as well",
        "6x100 2x0",
        f"{HOUR} | exhaustion 1m page",
        "6 exhaustion page firing",
    ),
)
def test_budgets(series, policy, expected, how):
    check(series, policy, expected, how)


@cases(
    (
        "a policy that no longer alerts ends the alert",
        "5x0 6x100 5x0",
        {0: PAGE, 8: "none"},
        "6 page firing, 8 page resolved",
    ),
    (
        "other windows go on with the episode",
        "5x0 3x100 20x0",
        {0: PAGE, 9: "breach 10m/5m page"},
        "6 page firing, 13 page resolved",
    ),
    (
        "another severity is another alert",
        "5x0 6x100 5x0",
        {0: PAGE, 8: "breach 5m/1m ticket"},
        "6 page firing, 8 page resolved, 8 ticket firing, 12 ticket resolved",
    ),
    ("a lower target ends it", "5x0 6x50 5x0", {0: PAGE, 8: f"{PAGE} | target 0.4"}, "7 page firing, 8 page resolved"),
    (
        "a shorter `for` holds for what is pending",
        "5x0 6x100 5x0",
        {0: f"{PAGE} | for 5m", 8: f"{PAGE} | for 2m"},
        "6 page pending, 8 page firing, 12 page resolved",
    ),
    (
        "a shorter `keep_firing_for` holds for what waits",
        "5x0 3x100 12x0",
        {0: f"{PAGE} | keep 10m", 11: PAGE},
        "6 page firing, 9 page waits, 11 page resolved",
    ),
    (
        "an objective that is removed ends its alert",
        "5x0 6x100 5x0",
        {0: PAGE, 8: "gone"},
        "6 page firing, 8 page resolved",
    ),
    (
        "an objective that is removed ends a pending alert",
        "5x0 6x100 5x0",
        {0: f"{PAGE} | for 5m", 8: "gone"},
        "6 page pending, 8 page resolved",
    ),
    (
        "an objective that comes back begins another episode",
        "5x0 6x100 5x0",
        {0: PAGE, 8: "gone", 9: PAGE},
        "6 page firing, 8 page resolved, 9 page firing, 12 page resolved",
    ),
    ("a removed objective without an alert is no news", OUTAGE, {0: PAGE, 11: "gone"}, ONCE),
    (
        "a budget alert that is taken out of the file ends",
        "5x100 20x0",
        {0: f"{HOUR} | budget 25% ticket", 9: HOUR},
        "5 budget-25 ticket firing, 9 budget-25 ticket resolved",
    ),
    (
        "what cannot be evaluated is not taken for removed, also after a start",
        "5x0 6x100 5x0",
        {0: PAGE, 8: "gone"},
        "6 page firing, 10 page resolved",
        {"broken": (8, 9), "schedule": "A1-8, B9-16"},
    ),
)
def test_policies_that_change(series, policy, expected, how):
    check(series, policy, expected, how)


@pytest.mark.parametrize(
    ("policies", "summary"),
    [
        ({0: PAGE, 8: "gone"}, "shop availability: the objective was removed"),
        ({0: PAGE, 8: "none"}, "shop availability: its policy no longer alerts with severity page"),
        ({0: "none | window 1h | budget 50% page", 9: "none"}, "shop availability: the rule was removed"),
    ],
)
def test_the_last_word_of_an_alert_says_why_it_ended(policies, summary):
    assert happened("5x0 6x100 5x0", policies)[1][-1].summary == summary


def test_one_episode_keeps_its_id_and_its_start_and_another_has_its_own():
    _, stored = happened("5x0 4x100 1x0 1x100 6x0 3x100 5x0", f"{PAGE} | for 1m | keep 2m")
    first, second = stored[: stored.index(next(item for item in stored if item.state == "resolved")) + 1], stored[-4:]
    assert {(item.alert_id, item.started_at) for item in first} == {(first[0].alert_id, first[0].at)}
    assert [item.sequence for item in first] == list(range(1, len(first) + 1))
    assert {item.alert_id for item in second}.isdisjoint({item.alert_id for item in first})
