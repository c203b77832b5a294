"""The way in loses or refuses what services send: what nobody sees in their charts, because it is missing there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from alerts.timing import IMMEDIATELY, AlertTiming
from alerts.transition import AlertDetails
from slo.policy import Severity

ALERT_NAME: Final = "IngestLoss"
EVERY_COLLECTOR: Final = "every collector"
_PAGES: Final = frozenset({"lost", "breaker_open", "spool_filling", "damaged"})
_CONTINUED: Final = AlertTiming(pending_for=timedelta(minutes=6), keep_firing_for=timedelta(minutes=10))
# what is counted over five minutes must go on for longer: one wrong request of one client is no alert
# after a start the first evaluation comes before the first report, and what waited in between moves on
_RESTARTED: Final = AlertTiming(pending_for=timedelta(minutes=1))
_TIMING: Final[Mapping[str, AlertTiming]] = {
    "silent": _RESTARTED,
    "spool_old": _RESTARTED,
    "dead_letters": AlertTiming(pending_for=timedelta(hours=1)),
    "refusing": _CONTINUED,
    "rejecting": _CONTINUED,
    "quarantined": _CONTINUED,
}
_TITLES: Final[Mapping[str, str]] = {
    "lost": "Data that were acknowledged are lost",
    "breaker_open": "The database takes nothing",
    "spool_filling": "The spool fills up",
    "spool_old": "Data wait for the database",
    "damaged": "The collector's disk damages data",
    "dead_letters": "Requests lie in dead letters",
    "refusing": "Requests are refused",
    "rejecting": "Items are left out as invalid",
    "silent": "No report from collectors",
    "quarantined": "Spans come with wrong times",
}


@dataclass(frozen=True, slots=True)
class IngestLossSignal:
    """One kind of loss at one collector or service; implements `AlertSignal`.

    Attributes:
        what: an alarm of the Ingest page, or "quarantined".
        collector: which one, "" where it is a service that is concerned.
        problems: what is wrong, each with what to do; none when nothing is.
        known: whether the collector says anything at all.
    """

    what: str
    collector: str = ""
    service: str = ""
    environment: str = ""
    problems: tuple[str, ...] = ()
    known: bool = True

    @property
    def rule(self) -> str:
        return "/".join(
            ("ingest", self.what, *((self.collector,) if self.collector else (self.service, self.environment)))
        )

    @property
    def severity(self) -> Severity:
        """The loss that has happened or is about to pages, and so does a way in that is closed as a whole."""
        return "page" if self.what in _PAGES or self.collector == EVERY_COLLECTOR else "ticket"

    @property
    def slo_id(self) -> str:
        return ""

    @property
    def timing(self) -> AlertTiming:
        return _TIMING.get(self.what, IMMEDIATELY)

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        named = {"collector": self.collector, "loss": self.what}
        return tuple((name, value) for name, value in named.items() if value)

    @property
    def met(self) -> bool:
        return bool(self.problems)

    @property
    def clear(self) -> bool:
        return self.known and not self.problems

    def firing_summary(self) -> str:
        return f"{self._subject}: {'; '.join(self.problems)}"

    def resolved_summary(self) -> str:
        return f"{self._subject}: it is over ({title(self.what).lower()})"

    def details(self) -> AlertDetails:
        return AlertDetails(alert_name=ALERT_NAME, slo_name=title(self.what))

    @property
    def _subject(self) -> str:
        if self.collector:
            return self.collector if self.collector == EVERY_COLLECTOR else f"collector {self.collector}"
        return f"{self.service} in {self.environment}" if self.environment else self.service


def title(what: str) -> str:
    """Return what is wrong, the first words of the alert and the name of its incident.

    >>> title("dead_letters")
    'Requests lie in dead letters'
    """
    return _TITLES.get(what, what)
