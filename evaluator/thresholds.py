"""Rules over metrics: each rule's groups of series, and what they say to it."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.signal import AlertSignal
from alerts.threshold import COUNTING, ThresholdRule
from alerts.threshold_signal import ThresholdSignal
from storage.client import Database
from storage.errors import DatabaseError
from storage.metric_groups import GroupValue, MetricGroup, metric_groups
from storage.metric_query import MetricQuery
from storage.metrics import MetricName, metric_names
from storage.sli_metrics import LATENESS

log = logging.getLogger(__name__)

MOST_ALERTS: Final = 100
MOST_GROUPS: Final = 1000
MOST_KINDS: Final = 4
GONE_AFTER: Final = timedelta(hours=1)
DELTA_GONE_AFTER: Final = timedelta(hours=24)
SEEN_WITHIN: Final = timedelta(days=7)  # so long a group that is gone says so, also to an evaluator that was away
_SEEN_TO: Final = timedelta(minutes=10)  # how late a series may be noted as seen
_KINDS_FOR: Final = timedelta(minutes=1)
_COUNTED_TYPES: Final = frozenset({"histogram", "exponential_histogram", "summary"})


@dataclass(frozen=True, slots=True)
class _Kinds:
    at: datetime
    newest_first: tuple[MetricName, ...]


class ThresholdSource:
    """Reads what the metrics of rules say; one query a rule and tick (one for each type and unit of its metric).

    What no data means: a group whose points stop neither begins to fire nor ends, because an alert that heals when its
    exporter dies is a lie. After an hour without a point it is over, with that as the reason: the queue was deleted,
    the pod was replaced, and nobody will ever send the value that ends the alert; a whole service that stops is told
    by `ServiceSilent`. Of delta counters silence is a value: no events, so rate and increase are 0, until the group has
    not been seen for a day.

    Values are read up to now, rates and increases up to 75 s ago: by then every exporter has sent its minute, and a
    window that is not complete does not look like a fall. At most `MOST_ALERTS` groups of a rule alert at a time: the
    others that meet the condition are named in `problems` and frozen. So is a rule whose query fails, with its alerts;
    the other rules go on.

    Attributes:
        problems: what is wrong with rules, by their names, as of the last look.
    """

    def __init__(self, database: Database, rules: Sequence[ThresholdRule]) -> None:
        self.problems: dict[str, list[str]] = {}
        self._database = database
        self._rules = tuple(rules)
        self._kinds: dict[tuple[str, str], _Kinds] = {}
        self._unread: dict[str, str] = {}  # rules that could not be asked everything, and with what an alert ends

    def signals(self, now: datetime) -> list[AlertSignal]:
        """Return a signal for every group of every rule that was seen in the last `SEEN_WITHIN`.

        Raises:
            DatabaseError: the database is away.
        """
        before, self.problems, self._unread = self.problems, {}, {}
        found: list[ThresholdSignal] = []
        unanswered = 0
        for rule in self._rules:
            try:
                found += self._signals(rule, now)
            except DatabaseError as error:
                unanswered += not error.code
                if unanswered > 1:  # not this rule's query: nobody answers, and each further one may wait as long
                    raise
                self._fail(rule, str(error))
            except Exception as error:
                self._fail(rule, f"{type(error).__name__}: {error}")
                if rule.name not in before:
                    log.exception("rule %s cannot be asked", rule.name)
        for name, texts in self.problems.items():
            if name not in before:  # once, and not at each tick with another number in it
                log.warning("%s", "; ".join(texts))
        return [*found]

    def why_unsaid(self, rule: str) -> str | None:
        """Return why the last look said nothing of an alert of *rule*; see `evaluator.signals.Explaining`."""
        kind, _, named = rule.partition("/")
        name = named.partition("/")[0]
        if kind != "threshold" or name not in {known.name for known in self._rules}:
            return None
        return self._unread.get(name, "the rule was changed, or what it watches was not sent for 7 days")

    def _signals(self, rule: ThresholdRule, now: datetime) -> list[ThresholdSignal]:
        found: dict[str, ThresholdSignal] = {}
        for kind in self._kinds_of(rule, now):
            for signal in self._of_kind(rule, kind, now):
                known = found.get(signal.rule)
                # a new version of a service may send another unit: what it sends now counts, not what it sent before
                if known is None or (known.value is None and signal.value is not None):
                    found[signal.rule] = signal
        return self._limited(rule, list(found.values()))

    def _of_kind(self, rule: ThresholdRule, kind: MetricName, now: datetime) -> list[ThresholdSignal]:
        end = now - LATENESS if rule.aggregate in COUNTING else now
        query = MetricQuery(
            kind,
            end - rule.window,
            end,
            step_s=rule.window // timedelta(seconds=1),
            service=rule.service,
            environment=rule.environment,
            attributes=tuple(rule.attributes.items()),
            group_by=("service", "environment", *rule.group_by),
            limit=MOST_GROUPS,
        )
        found = metric_groups(self._database, query, _value_of(rule), seen_since=now - SEEN_WITHIN)
        if found.total > MOST_GROUPS:
            self._unread[rule.name] = ""
            self._note(rule, f"{found.total:,} groups, of which {MOST_GROUPS:,} are read: narrow it with attributes")
        return [_signal(rule, kind, group, now) for group in found.groups]

    def _limited(self, rule: ThresholdRule, signals: list[ThresholdSignal]) -> list[ThresholdSignal]:
        met = [place for place, signal in enumerate(signals) if signal.met]
        if len(met) > MOST_ALERTS:
            text = f"{len(met):,} groups meet the condition, and only {MOST_ALERTS} alert"
            self._note(rule, f"{text}: group by less, or narrow it with attributes")
        for place in met[MOST_ALERTS:]:
            signals[place] = replace(signals[place], held=True)
        return signals

    def _kinds_of(self, rule: ThresholdRule, now: datetime) -> list[MetricName]:
        """Return the kinds of the metric that the rule can be asked of, the one that was seen last first."""
        kinds = self._sent(rule, now)
        fitting = [kind for kind in kinds if _unfit(rule, kind) is None]
        if not kinds:
            sender = f"from {rule.service!r} " if rule.service else ""
            self._unread[rule.name] = f"no metric {rule.metric!r} {sender}was received for a month"
            self._note(rule, f"no metric {rule.metric!r} {sender}was ever received: compare the name with its sender's")
        elif not fitting:
            self._unread[rule.name] = ""
            self._note(rule, f"{rule.metric!r} {_unfit(rule, kinds[0])}")
        elif len({kind.unit for kind in fitting}) > 1:
            units = ", ".join(repr(kind.unit) for kind in fitting)
            self._note(rule, f"{rule.metric!r} is sent in several units ({units}): name a service, or send one unit")
        return fitting[:MOST_KINDS]

    def _sent(self, rule: ThresholdRule, now: datetime) -> tuple[MetricName, ...]:
        key = rule.metric, rule.service
        known = self._kinds.get(key)
        if known is None or not known.at <= now < known.at + _KINDS_FOR:
            found = metric_names(self._database, now=now, metric=rule.metric, service=rule.service)
            known = self._kinds[key] = _Kinds(now, tuple(found))
        return known.newest_first

    def _fail(self, rule: ThresholdRule, reason: str) -> None:
        self._unread[rule.name] = ""
        self._note(rule, f"could not be asked, so its alerts stay as they are: {reason[:300]}")

    def _note(self, rule: ThresholdRule, text: str) -> None:
        self.problems.setdefault(rule.name, []).append(f"rule {rule.name}: {text}")


def _signal(rule: ThresholdRule, kind: MetricName, group: MetricGroup, now: datetime) -> ThresholdSignal:
    service, environment, *values = group.labels
    value = group.value if group.value is not None and math.isfinite(group.value) else None
    counts_silence = kind.temporality == "delta" and rule.aggregate in COUNTING
    gone_after = DELTA_GONE_AFTER if counts_silence else GONE_AFTER
    gone = value is None and now - group.seen > gone_after + _SEEN_TO
    return ThresholdSignal(
        threshold=rule,
        service=service,
        environment=environment,
        group=tuple(zip(rule.group_by, values, strict=True)),
        value=0.0 if value is None and counts_silence and not gone else value,
        unit=kind.unit if kind.type not in _COUNTED_TYPES else "",
        silent_for=gone_after if gone else None,
    )


def _value_of(rule: ThresholdRule) -> GroupValue:
    """Return what to read; of what several series said last, the worst."""
    if rule.aggregate == "last":
        return "lowest_last" if rule.condition.operator.startswith("<") else "highest_last"
    return rule.aggregate


def _unfit(rule: ThresholdRule, kind: MetricName) -> str | None:
    """Return why the rule cannot be asked of *kind*, None where it can."""
    is_counted = kind.type in _COUNTED_TYPES
    if rule.aggregate not in COUNTING:
        what = kind.type.replace("_", " ")
        return f"is a {what}, which has no {rule.aggregate}: use rate or increase" if is_counted else None
    rises = is_counted or (kind.type == "sum" and (kind.monotonic or kind.temporality == "delta"))
    return None if rises else f"goes up and down, so it has no {rule.aggregate}: use max, avg or last"
