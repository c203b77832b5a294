"""Since when: the first minute of the trouble that is told of."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from alerts.onset import Minute, onset
from slo.model import EventCounts

START = datetime(2026, 3, 1, 3, tzinfo=UTC)
BAD = EventCounts(90, 100)
GOOD = EventCounts(100, 100)


def began(counts):
    """Return which of the minutes it began in."""
    minutes = [Minute(START + timedelta(minutes=n), each) for n, each in counts.items()]
    found = onset(reversed(minutes), Decimal("0.95"))
    return None if found is None else (found - START) // timedelta(minutes=1)


@pytest.mark.parametrize(
    ("counts", "minute"),
    [
        ({}, None),
        ({0: GOOD, 1: GOOD}, None),
        ({0: GOOD, 1: BAD, 2: BAD}, 1),
        ({0: EventCounts(95, 100)}, None),  # exactly as fast as it may
        ({0: BAD, 10: BAD}, 0),  # a burst and the next
        ({0: BAD, 11: BAD, 12: GOOD}, 11),  # an earlier trouble was over
        ({0: BAD, 1: GOOD, 2: BAD, 3: GOOD}, 0),
    ],
)
def test_it_began_in_the_first_minute_that_spent_too_fast_after_a_quiet_time(counts, minute):
    assert began(counts) == minute
