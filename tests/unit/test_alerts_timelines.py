"""Timelines of alerts as tables: minutes of requests and a policy give exactly these transitions at these minutes.

`alert_timeline` has the words. All objectives have a target of 90 %: "breach 5m/1m page" fires when more than a tenth
of the last five minutes and of the last minute failed.
"""

import pytest

from tests.unit.decision_timeline import happened

PAGE = "breach 5m/1m page"
OUTAGE = "5x0 3x100 7x0"
ONCE = "6 page firing, 9 page resolved"
TWICE = "6 page firing, 8 page resolved, 13 page firing, 15 page resolved"
FLAPPING = "5x0 1x100 4x0 1x100 4x0 1x100 4x0 1x100 35x0"
FLAPPED = (
    "6 page firing, 7 page resolved, 11 page firing, 12 page resolved, 16 page firing, 17 page resolved, "
    "21 page firing flapping, 22 page waits, 52 page resolved"
)


def cases(*rows):
    """Return the parameters of cases: a sentence, a series, a policy, the transitions, and how it ran."""
    return pytest.mark.parametrize(
        ("series", "policy", "expected", "how"),
        [pytest.param(*row, *([{}] if len(row) == 3 else []), id=sentence) for sentence, *row in rows],
    )


def check(series, policy, expected, how):
    assert happened(series, policy, **how)[0] == expected


@cases(
    ("an outage pages after its first minute and ends with the first good one", OUTAGE, PAGE, ONCE),
    ("exactly what the target allows is no breach", "5x0 10x10 5x0", PAGE, ""),
    (
        "a little more fires when all of the long window has it",
        "5x0 10x11 5x0",
        PAGE,
        "10 page firing, 16 page resolved",
    ),
    ("two outages are two episodes", "5x0 2x100 5x0 2x100 5x0", PAGE, TWICE),
    ("an objective without a policy never alerts", OUTAGE, "none", ""),
    (
        "a fast burn pages and files a ticket later, and each ends by its own windows",
        "20x0 6x100 30x0",
        "breach 5m/1m page, 20m/5m ticket",
        "21 page firing, 23 ticket firing, 27 page resolved, 31 ticket resolved",
    ),
    (
        "a slow burn files a ticket and pages nobody",
        "50x50 20x0",
        "window 1d | pairs 20%/1h/5m page, 10%/1h/5m ticket",
        "29 ticket firing, 53 ticket resolved",
    ),
)
def test_fires_and_ends(series, policy, expected, how):
    check(series, policy, expected, how)


@cases(
    (
        "it fires when the condition was met for exactly so long",
        "5x0 3x100 5x0",
        f"{PAGE} | for 2m",
        "6 page pending, 8 page firing, 9 page resolved",
    ),
    ("one minute less ends it unfired", "5x0 2x100 5x0", f"{PAGE} | for 2m", "6 page pending, 8 page resolved"),
    (
        "silence lets a pending alert neither fire nor end",
        "5x0 1x100 3x- 2x100 5x0",
        f"{PAGE} | for 2m",
        "6 page pending, 10 page firing, 12 page resolved",
    ),
    (
        "it ends when the condition was clear for exactly so long",
        "5x0 2x100 8x0",
        f"{PAGE} | keep 3m",
        "6 page firing, 8 page waits, 11 page resolved",
    ),
    (
        "errors that come back in the wait belong to the same episode, and the wait begins anew",
        "5x0 2x100 2x0 1x100 8x0",
        f"{PAGE} | keep 3m",
        "6 page firing, 8 page waits, 10 page resumes, 11 page waits, 14 page resolved",
    ),
    (
        "errors that come back in the last minute of the wait do too",
        "5x0 2x100 3x0 1x100 5x0",
        f"{PAGE} | keep 3m",
        "6 page firing, 8 page waits, 11 page resumes, 12 page waits, 15 page resolved",
    ),
    (
        "for and keep_firing_for go together",
        "5x0 4x100 6x0",
        f"{PAGE} | for 1m | keep 2m",
        "6 page pending, 7 page firing, 10 page waits, 12 page resolved",
    ),
    (
        "keep_firing_for keeps no pending alert",
        "5x0 1x100 5x0",
        f"{PAGE} | for 2m | keep 2m",
        "6 page pending, 7 page resolved",
    ),
)
def test_waits(series, policy, expected, how):
    check(series, policy, expected, how)


@cases(
    ("nothing at all is neither good nor bad", "20x-", PAGE, ""),
    ("silence ends no alert, the first good minute does", "5x0 2x100 5x- 3x0", PAGE, "6 page firing, 13 page resolved"),
    (
        "errors on both sides of a silence are one episode",
        "5x0 2x100 5x- 2x100 3x0",
        PAGE,
        "6 page firing, 15 page resolved",
    ),
    (
        "silence in the wait neither ends it nor begins it anew",
        "5x0 2x100 1x0 4x- 3x0",
        f"{PAGE} | keep 3m",
        "6 page firing, 8 page waits, 13 page resolved",
    ),
    ("an alert that nobody sends data for goes on firing", "5x0 2x100 60x-", PAGE, "6 page firing"),
    (
        "a tick that cannot evaluate changes nothing, the next one goes on",
        OUTAGE,
        PAGE,
        "6 page firing, 11 page resolved",
        {"broken": (9, 10)},
    ),
)
def test_is_frozen_by_no_data(series, policy, expected, how):
    check(series, policy, expected, how)


@cases(
    ("a restart while firing", OUTAGE, PAGE, ONCE, {"schedule": "A1-7, B8-15"}),
    ("a restart at every tick", OUTAGE, PAGE, ONCE, {"schedule": "A1-5, B6-6, C7-7, D8-8, E9-9, F10-15"}),
    (
        "a restart while pending keeps the start",
        "5x0 3x100 5x0",
        f"{PAGE} | for 2m",
        "6 page pending, 8 page firing, 9 page resolved",
        {"schedule": "A1-6, B7-13"},
    ),
    (
        "a restart in the wait makes it no longer",
        "5x0 2x100 8x0",
        f"{PAGE} | keep 3m",
        "6 page firing, 8 page waits, 11 page resolved",
        {"schedule": "A1-9, B10-15"},
    ),
    (
        "an end that was slept through is told late",
        OUTAGE,
        PAGE,
        "6 page firing, 12 page resolved",
        {"schedule": "A1-7, B12-15"},
    ),
    ("an outage that was slept through whole is no alert", OUTAGE, PAGE, "", {"schedule": "A1-5, B9-15"}),
    ("the same ticks once more change nothing", OUTAGE, PAGE, ONCE, {"schedule": "A1-15, A1-15, B1-15"}),
    ("a clock that goes back while firing", OUTAGE, PAGE, ONCE, {"schedule": "A1-7, A3-15"}),
    ("a clock that goes back after the end", OUTAGE, PAGE, ONCE, {"schedule": "A1-10, A5-15"}),
    (
        "a clock that goes back in the wait",
        "5x0 2x100 8x0",
        f"{PAGE} | keep 3m",
        "6 page firing, 8 page waits, 11 page resolved",
        {"schedule": "A1-9, A4-15"},
    ),
)
def test_restarts_and_clocks(series, policy, expected, how):
    check(series, policy, expected, how)


@cases(
    ("two evaluators, one after the other", OUTAGE, PAGE, ONCE, {"schedule": "A1-15 B1-15"}),
    ("two that read the same past: one is let through", OUTAGE, PAGE, ONCE, {"schedule": "a1-15 b1-15"}),
    (
        "two that read the same past, in one batch for several alerts",
        "20x0 6x100 30x0",
        "breach 5m/1m page, 20m/1m ticket | window 1h | budget 50% ticket",
        "21 page firing, 23 ticket firing, 23 budget-50 ticket firing, 27 page resolved, 27 ticket resolved",
        {"schedule": "a1-56 b1-56"},
    ),
    ("the one that stored the firing dies", OUTAGE, PAGE, ONCE, {"schedule": "A1-6 B1-15"}),
    (
        "one that saw nothing of the episode",
        "5x0 2x100 5x0 2x100 5x0",
        PAGE,
        TWICE,
        {"schedule": "A1-5 B1-5, A6-9, B10-19"},
    ),
    (
        "one that thinks that it fires still",
        "5x0 2x100 5x0 2x100 5x0",
        PAGE,
        TWICE,
        {"schedule": "A1-6 B1-6, A7-9, B10-19"},
    ),
    ("one whose clock is behind", OUTAGE, PAGE, ONCE, {"schedule": "A1-8, B5-8, A9-9, B7-15"}),
)
def test_several_evaluators(series, policy, expected, how):
    check(series, policy, expected, how)


@cases(
    ("errors that come late fire late", "15x0", PAGE, "8 page firing, 9 page resolved", {"late": {8: OUTAGE}}),
    (
        "good requests that come late end what they would not have let fire",
        "5x0 5x100 5x0",
        PAGE,
        "6 page firing, 8 page resolved",
        {"late": {8: "15x0"}},
    ),
    (
        "errors that come later than any window looks back fire nothing",
        "20x0",
        PAGE,
        "",
        {"late": {15: "5x0 3x100 12x0"}},
    ),
    (
        "errors that come late into an episode that ended begin another",
        "5x0 1x100 10x0",
        PAGE,
        "6 page firing, 7 page resolved, 8 page firing, 9 page resolved",
        {"late": {8: OUTAGE}},
    ),
)
def test_late_data(series, policy, expected, how):
    check(series, policy, expected, how)


@cases(
    ("the fourth time within an hour it flaps, and ends after 30 calm minutes", FLAPPING, PAGE, FLAPPED),
    ("a restart forgets none of it", FLAPPING, PAGE, FLAPPED, {"schedule": "A1-18, B19-21, C22-30, D31-56"}),
    ("two evaluators count each firing once", FLAPPING, PAGE, FLAPPED, {"schedule": "a1-56 b1-56"}),
    (
        "errors in the calm begin it anew",
        "5x0 1x100 4x0 1x100 4x0 1x100 4x0 1x100 4x0 1x100 35x0",
        PAGE,
        FLAPPED.replace("52 page resolved", "26 page resumes, 27 page waits, 57 page resolved"),
    ),
    (
        "the first and the fourth exactly an hour apart",
        "5x0 1x100 19x0 1x100 19x0 1x100 19x0 1x100 35x0",
        PAGE,
        (
            "6 page firing, 7 page resolved, 26 page firing, 27 page resolved, 46 page firing, 47 page resolved, "
            "66 page firing flapping, 67 page waits, 97 page resolved"
        ),
    ),
    (
        "a minute more and it is no flapping",
        "5x0 1x100 19x0 1x100 19x0 1x100 20x0 1x100 35x0",
        PAGE,
        (
            "6 page firing, 7 page resolved, 26 page firing, 27 page resolved, 46 page firing, 47 page resolved, "
            "67 page firing, 68 page resolved"
        ),
    ),
    (
        "after the calm the hour still counts",
        "5x0 1x100 4x0 1x100 4x0 1x100 4x0 1x100 34x0 1x100 35x0",
        PAGE,
        FLAPPED + ", 56 page firing flapping, 57 page waits, 87 page resolved",
    ),
    (
        "episodes that never fired are no flapping",
        "5x0 1x100 4x0 1x100 4x0 1x100 4x0 1x100 5x0",
        f"{PAGE} | for 2m",
        (
            "6 page pending, 7 page resolved, 11 page pending, 12 page resolved, 16 page pending, 17 page resolved, "
            "21 page pending, 22 page resolved"
        ),
    ),
)
def test_flapping(series, policy, expected, how):
    check(series, policy, expected, how)
