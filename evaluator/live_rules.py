"""The rules of the configuration in force: sources of signals that follow the file that they are written in."""

from collections.abc import Callable
from datetime import datetime

from alerts.config import AlertingConfig
from alerts.signal import AlertSignal
from alerts.silent_service import NoDataRule
from evaluator.silent_services import SilentServiceSource
from evaluator.thresholds import ThresholdSource
from storage.client import Database


class ConfiguredThresholds:
    """The rules over metrics of the configuration in force; implements `SignalSource`."""

    def __init__(self, database: Database, config: Callable[[], AlertingConfig]) -> None:
        self._database = database
        self._config = config
        self._rules = config().rules
        self._source = ThresholdSource(database, self._rules)

    @property
    def problems(self) -> dict[str, list[str]]:
        """What is wrong with rules, by their names."""
        return self._source.problems

    def signals(self, now: datetime) -> list[AlertSignal]:
        """Return a signal for every group of every rule.

        Raises:
            DatabaseError: the database cannot be read.
        """
        rules = self._config().rules
        if rules != self._rules:
            self._rules, self._source = rules, ThresholdSource(self._database, rules)
        return self._source.signals(now)

    def why_unsaid(self, rule: str) -> str | None:
        """Return why nothing was said of an alert of *rule*; see `evaluator.signals.Explaining`."""
        return self._source.why_unsaid(rule)


class ConfiguredSilence:
    """Services that fall silent, by the rule of the configuration in force; implements `SignalSource`."""

    def __init__(self, database: Database, config: Callable[[], AlertingConfig]) -> None:
        self._database = database
        self._config = config
        self._rule = NoDataRule()
        self._source = SilentServiceSource(database, self._rule)

    def signals(self, now: datetime) -> list[AlertSignal]:
        """Return a signal for every service that is remembered.

        Raises:
            DatabaseError: the database cannot be read.
        """
        return self._current().signals(now)

    def why_unsaid(self, rule: str) -> str | None:
        """Return why an alert of *rule* ends of which nothing is said; see `evaluator.signals.Explaining`."""
        if not rule.startswith("silence/"):
            return None
        return "it is not watched any more" if self._rule.enabled else "no_data was switched off in the alert file"

    def retired(self, now: datetime) -> dict[tuple[str, str], str]:
        """Return the services that nobody waits for any more, and why.

        Raises:
            DatabaseError: the database cannot be read.
        """
        source = self._current()
        return {service: source.retirement(*service) for service in source.retired(now)}

    def _current(self) -> SilentServiceSource:
        rule = self._config().no_data
        if rule != self._rule:
            self._rule, self._source = rule, SilentServiceSource(self._database, rule)
        return self._source
