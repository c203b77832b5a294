"""The SLI of objectives day by day."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from slo.budget import sli
from slo.model import Slo
from storage.client import Database
from storage.sli_sums import event_sums

DAY: Final = timedelta(days=1)
DAYS: Final = 30


def daily_slis(database: Database, slos: Iterable[Slo], now: datetime) -> dict[str, list[float | None]]:
    """Return the SLI of each of the last 30 days in UTC by SLO id, oldest first, today as far as it is counted.

    None is a day without events. Days are whole hours, so one query over the hourly sums answers for all.
    """
    wanted = list(slos)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight + (place - DAYS + 1) * DAY for place in range(DAYS + 1)]
    sums = event_sums(database, (slo.indicator.series_id for slo in wanted), moments) if wanted else {}
    return {
        slo.id: [sli(sums[slo.indicator.series_id].between(start, end)) for start, end in pairwise(moments)]
        for slo in wanted
    }
