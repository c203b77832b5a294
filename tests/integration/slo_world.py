"""A service whose minutes are told one by one, and the evaluator that looks on, as both run in production."""

from datetime import UTC, datetime, timedelta

from alerts.transition import Transition
from evaluator.alert_store import AlertStore
from evaluator.tick import Evaluator
from storage.sli_backfills import backfills
from storage.slo_catalog import SloCatalog
from storage.slo_windows import LATENESS
from storage.standing import standings
from storage.transitions import transitions
from tests.slo_objective import read

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ROLLUP_RETENTION = 40 * DAY  # more than the longest window; each month more is a month to count before a test begins


class SloWorld:
    """Minute 0 begins at `start`; a minute's requests are one or two spans that stand for all of them.

    Spans are kept for *raw_days*: as long as the history of a test, because every day more is counted before it begins.
    """

    def __init__(self, database, store, otlp, folder, *, hours_ago=4, raw_days=5):
        self.database, self._store, self._otlp, self.folder = database, store, otlp, folder
        self.start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=hours_ago)
        self.raw_retention = raw_days * DAY
        self.texts = {}
        self._counted = []

    def write(self, text):
        """Make *text* the objective in force and return it."""
        slo = read(text)
        self.texts[slo.id] = text
        (self.folder / f"{slo.id}.yaml").write_text(text, "utf-8")
        return slo

    def spans(self, minute, *, good=0, bad=0, **fields):
        """Return spans that stand for the requests of the minute number *minute*."""
        at = self._otlp.ns(self.start + minute * MINUTE)
        return [
            self._otlp.span(
                start_ns=at + 30 * 10**9, status=status, trace_state=sampled_one_in(weight), duration_ns=10**6, **fields
            )
            for weight, status in ((good, 0), (bad, 2))
            if weight
        ]

    def insert(self, spans, **identity):
        if spans:
            self._store(self.database, self._otlp.traces(*spans, **identity))

    def requests(self, minutes, *, good=0, bad=0, **identity):
        """Store *good* and *bad* requests in each of *minutes*."""
        self.insert([span for minute in minutes for span in self.spans(minute, good=good, bad=bad)], **identity)

    def evaluator(self, writer="one"):
        """Return an evaluator as it is after a start."""
        alerts = AlertStore(self.database, writer)
        return Evaluator(
            self.database,
            SloCatalog([self.folder]),
            alerts,
            raw_retention=self.raw_retention,
            rollup_retention=ROLLUP_RETENTION,
        )

    def tick(self, evaluator, minute):
        """Have *evaluator* look when the minutes before number *minute* are complete."""
        evaluator.tick(self.at(minute))
        assert evaluator.state.last_error == ""
        if evaluator not in self._counted:
            self._counted.append(evaluator)
            self.count_past(evaluator, minute)

    def count_past(self, evaluator, minute):
        """Have *evaluator* count all of the past of what is new, which it does in pieces between its ticks."""
        for _ in range(100):
            evaluator.backfill(self.at(minute))
            if all(part.finished_at for part in backfills(self.database)):
                return
        raise AssertionError("the past is not counted to its end")

    def forget_arrivals(self):
        """Make what arrived so far old: the clock of ticks is behind that of arrivals; all would be counted again."""
        self.database.command("TRUNCATE TABLE arrivals")

    def at(self, minute):
        """Return the moment at which everything before the minute number *minute* is counted."""
        return self.start + minute * MINUTE + LATENESS["spans"]

    def standing(self, slo, minute):
        """Return where *slo* stands when the minute number *minute* begins."""
        (found,) = standings(self.database, [slo], self.at(minute))
        assert found.as_of == self.start + minute * MINUTE
        return found.evaluation

    def transitions(self):
        """Return every stored change of an alert, oldest first."""
        bodies = transitions(self.database, since=self.start - DAY)
        return [Transition.from_json(body) for body in bodies]

    def changes(self):
        """Return every stored change of an alert as (minute, severity, state), oldest first."""
        return [
            ((item.at - LATENESS["spans"] - self.start) // MINUTE, item.severity, item.state)
            for item in self.transitions()
        ]


def sampled_one_in(weight):
    """Return the trace state of a span that stands for *weight* spans: the share 1 - 1 / weight of 2^56 was dropped."""
    return f"ot=th:{2**56 - 2**56 // weight:014x}"
