"""Who spent the budget of one SLI in a window: its bad requests, charged to services and operations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slo.blame_share import TOP, Share, apportion, describe, shares
from slo.indicator import SpanIndicator
from storage.charged_request import charge_requests
from storage.client import Database
from storage.request_selection import request_totals, select_requests
from storage.request_spans import sample

CAP: Final = 2_000


@dataclass(frozen=True, slots=True)
class Blame:
    """The bad requests of a window, and whose fault they were.

    Attributes:
        bad: Bad requests as the SLI counts them: exact, and a sampled span stands for several.
        requests: The stored ones of them.
        charged: How many of these were looked at; the shares are exact when it is all of them.
        shares: By operation, largest first; they sum to exactly 1. None without bad requests.
        estimates: The bad requests that each share stands for; they sum to `bad`.
        examples: The trace of a request that each share was charged with; "" of the share of all others.
    """

    bad: int
    requests: int
    charged: int
    shares: tuple[Share, ...]
    estimates: tuple[int, ...]
    examples: tuple[str, ...]

    @property
    def sampled(self) -> bool:
        return self.charged < self.requests

    @property
    def text(self) -> str:
        """One line for a list."""
        return describe(self.shares, charged=self.charged, requests=self.requests)


def blame(
    database: Database, indicator: SpanIndicator, *, start: datetime, end: datetime, cap: int = CAP, top: int = TOP
) -> Blame:
    """Return who spent the budget of *indicator* in [start, end).

    Counting reads the columns of the SLI once. Of more than *cap* bad requests those with the smallest hashes of their
    trace ids are looked at: the same ones each time, spread over the window as the bad requests are. What is read of
    their traces: see `storage.request_spans` and `charge_requests`.
    """
    selection = select_requests(indicator, start=start, end=end)
    totals = request_totals(database, selection)
    if not totals.bad_spans:
        return Blame(0, 0, 0, (), (), ())
    charged = charge_requests(database, selection, sample(database, selection, good=False, limit=cap))
    traces = {(item.charge.service, item.charge.operation): item.request.trace_id for item in charged}
    found = shares((item.charge for item in charged), (item.request.weight for item in charged), top=top)
    return Blame(
        bad=totals.bad,
        requests=max(totals.bad_spans, len(charged)),  # more may have arrived since they were counted
        charged=len(charged),
        shares=tuple(found),
        estimates=tuple(apportion([share.share for share in found], totals.bad)) if found else (),
        examples=tuple("" if share.others else traces[share.service, share.operation] for share in found),
    )
