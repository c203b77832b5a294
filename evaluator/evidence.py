"""What an alert brings along, gathered once, when it fires."""

from datetime import datetime

from alerts.transition import Transition
from slo.evaluation import Evaluation
from slo.indicator import CacheIndicator, SpanIndicator
from slo.model import Slo
from storage import sli_count
from storage.client import Database

EXEMPLARS = 3


def with_exemplars(
    database: Database, transition: Transition, slo: Slo, evaluation: Evaluation, end: datetime
) -> Transition:
    """Return *transition* with traces of bad events of the longest window that fired it."""
    longest = max(
        (result.condition.long for result in evaluation.conditions if result.met),
        default=None,
    )
    if longest is None or not isinstance(slo.indicator, SpanIndicator | CacheIndicator):
        return transition
    found = sli_count.exemplars(database, slo.indicator, start=end - longest, end=end, limit=EXEMPLARS)
    return transition.with_evidence(tuple(found), transition.details.links)
