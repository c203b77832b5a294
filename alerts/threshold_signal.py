"""The alert of one group of a rule over a metric."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from decimal import Context, Decimal
from typing import Final
from urllib.parse import quote, urlencode

from alerts.threshold import OWN_LABELS, Aggregate, ThresholdRule, label_name
from alerts.threshold_condition import decimal_of
from alerts.timing import AlertTiming
from alerts.transition import RUNBOOK, AlertDetails, Link, Measurement
from slo.policy import Severity
from slo.wording import span_of_time

_SAID: Final[dict[Aggregate, str]] = {
    "max": "was {value} at most in the last {window}",
    "min": "was {value} at least in the last {window}",
    "avg": "was {value} on average over the last {window}",
    "sum": "was {value} over all series in the last {window}",
    "last": "was {value} at last within {window}",
    "rate": "rose by {value} a second in the last {window}",
    "increase": "rose by {value} in the last {window}",
}
_DIGITS: Final = Context(prec=6)
_MILLION_BILLIONS: Final = 10**15
_LONGEST_IDENTITY: Final = 300


@dataclass(frozen=True, slots=True)
class ThresholdSignal:
    """What one group of series says to its rule; implements `AlertSignal`.

    Attributes:
        threshold: the rule.
        group: the values of the rule's `group_by`.
        value: its `aggregate` over the window, None without data.
        unit: as it was sent, in UCUM: "By", "{item}", "1".
        silent_for: set when the group has not been sent for so long that it is taken for gone.
        held: there are too many groups that meet the condition: this one neither begins to fire nor ends.
    """

    threshold: ThresholdRule
    service: str
    environment: str
    group: tuple[tuple[str, str], ...]
    value: float | None
    unit: str = ""
    silent_for: timedelta | None = None
    held: bool = False

    @property
    def rule(self) -> str:
        """The alert's identity, in which values of attributes cannot be taken for names: it is a query string."""
        identity = (("service", self.service), ("environment", self.environment), *sorted(self.group))
        text = urlencode(identity, quote_via=quote, safe="")
        if len(text) > _LONGEST_IDENTITY:  # an attribute may hold kilobytes
            text = f"{text[:_LONGEST_IDENTITY]}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"
        return f"threshold/{self.threshold.name}/{text}"

    @property
    def severity(self) -> Severity:
        return self.threshold.severity

    @property
    def slo_id(self) -> str:
        return ""

    @property
    def timing(self) -> AlertTiming:
        return AlertTiming(self.threshold.pending_for, self.threshold.keep_firing_for)

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """The labels of the rule, and what it groups by: `queue_name` of the attribute `queue.name`."""
        named = {_group_label(key): value for key, value in self.group}
        return tuple(sorted((named | self.threshold.labels).items()))

    @property
    def met(self) -> bool:
        return not self.held and self._exceeds

    @property
    def clear(self) -> bool:
        """Whether the value is known not to meet the condition, or nobody sends it any more."""
        return self.silent_for is not None or (self.value is not None and not self._exceeds)

    def firing_summary(self) -> str:
        told = self._told(f", {self.threshold.condition.words} {self._number(self.threshold.condition.limit)}")
        return f"{self.threshold.summary.rstrip('.:')}: {told}" if self.threshold.summary else told

    def resolved_summary(self) -> str:
        if self.silent_for is not None:
            time = span_of_time(self.silent_for)
            told = time if " " in time else f"1 {time}"
            return f"{self._subject} was not sent for {told} and is taken for gone{self._which}"
        return f"{self.threshold.name} is over: {self._told('')}"

    def details(self) -> AlertDetails:
        rule = self.threshold
        return AlertDetails(
            alert_name=rule.name,
            slo_name=rule.name,
            measurement=Measurement(
                metric=rule.metric,
                attributes=self._attributes,
                value=self.value,
                operator=rule.condition.operator,
                limit=float(rule.condition.limit),
                unit=self.unit,
            ),
            links=(Link(RUNBOOK, rule.runbook),) if rule.runbook else (),
        )

    @property
    def _exceeds(self) -> bool:
        return self.silent_for is None and self.value is not None and self.threshold.condition.met(self.value)

    @property
    def _attributes(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((dict(self.threshold.attributes) | dict(self.group)).items()))

    @property
    def _subject(self) -> str:
        where = f" in {self.environment}" if self.environment else ""
        return f"{self.threshold.metric} of {self.service}{where}"

    @property
    def _which(self) -> str:
        which = ", ".join(f"{key}={value}" for key, value in self._attributes)
        return f" ({which})" if which else ""

    def _told(self, judged: str) -> str:
        rule = self.threshold
        value = "nothing" if self.value is None else self._number(decimal_of(self.value))
        said = _SAID[rule.aggregate].format(value=value + _unit(self.unit), window=span_of_time(rule.window))
        return f"{self._subject} {said}{judged}{self._which}"

    def _number(self, value: Decimal) -> str:
        """Return *value* in six digits, or in all where fewer would stand otherwise to the limit."""
        limit = self.threshold.condition.limit
        rounded = _DIGITS.plus(value)
        return number_text(rounded if rounded.compare(limit) == value.compare(limit) else value)


def number_text(value: Decimal) -> str:
    """Return *value* for people.

    >>> [number_text(Decimal(text)) for text in ("1250", "1250.50", "0.1", "1E+20", "1e-9", "-0")]
    ['1,250', '1,250.5', '0.1', '1e+20', '1e-09', '0']
    """
    if value == 0:
        return "0"
    if not Decimal("0.000001") <= abs(value) < _MILLION_BILLIONS:
        return f"{float(value):g}"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unit(unit: str) -> str:
    """Return a unit behind its number: " ms"; the annotation "{item}" is what is counted, "1" is nothing.

    >>> _unit("ms"), _unit("{item}"), _unit("1")
    (' ms', ' item', '')
    """
    named = unit.strip("{}")
    return "" if named in {"", "1"} else f" {named}"


def _group_label(key: str) -> str:
    name = label_name(key)
    return f"attribute_{name}" if name in OWN_LABELS else name
