"""A history of requests minute by minute, judged and alerted upon by the pure functions, without any store."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

from alerts.burn_rate import signals_of
from alerts.decide import decide
from slo.evaluation import budget_window, evaluate, needed_windows
from slo.model import EventCounts

MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


class History:
    """Requests of the minutes from number `first` on, as (good, bad); minute 0 begins at START."""

    def __init__(self, requests, *, first=0):
        self._first, self._requests = first, [(good, good + bad) for good, bad in requests]
        self._good = [0, *accumulate(good for good, _ in self._requests)]
        self._total = [0, *accumulate(total for _, total in self._requests)]

    def between(self, first, last):
        """Return the events of the minutes from number *first* up to *last*, exclusive."""
        low, high = (min(max(number - self._first, 0), len(self._requests)) for number in (first, last))
        return EventCounts(self._good[high] - self._good[low], self._total[high] - self._total[low])

    def judge(self, slo, minute, *, seen_recently=False):
        """Return where *slo* stands when the minute number *minute* begins."""
        end = START + minute * MINUTE
        counts = {window: self.between(minute - window // MINUTE, minute) for window in needed_windows(slo, end)}
        observed = self._observed(minute)
        coverage = min(1.0, observed / budget_window(slo, end))
        return evaluate(slo, counts, end=end, coverage=coverage, seen_recently=seen_recently, observed=observed)

    def changes(self, slo, minutes):
        """Return every change of an alert of *slo* as (minute, severity, state), when *minutes* are judged in turn."""
        memories, found = {}, []
        for minute in minutes:
            now = START + minute * MINUTE
            for signal in signals_of(slo, self.judge(slo, minute)):
                before = memories.get(signal.severity)
                change = decide(before, signal, now)
                if change is not None:
                    memories[signal.severity] = change
                    found.append((minute, change.severity, change.state))
        return found

    def _observed(self, minute):
        """Return the time since the first request."""
        seen = next((number for number, (_, total) in enumerate(self._requests, self._first) if total), minute)
        return max(0, minute - seen) * MINUTE
