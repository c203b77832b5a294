"""A rule over a metric: an alert for each group of series whose value meets a condition."""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from alerts.rule_fields import Duration, RuleFields, Text, Texts, Wait, check_between, one_of
from alerts.threshold_condition import ThresholdCondition, parse_condition
from slo.duration import format_duration
from slo.policy import SEVERITIES, Severity

Aggregate = Literal["max", "min", "avg", "sum", "last", "rate", "increase"]
AGGREGATES: Final[tuple[Aggregate, ...]] = get_args(Aggregate)
COUNTING: Final[tuple[Aggregate, ...]] = ("rate", "increase")
OWN_LABELS: Final = frozenset(
    {"alertname", "rule", "slo_id", "slo_name", "service_name", "environment", "severity", "slo_window"}
)
OWN_NAMES: Final = frozenset(
    {
        "SLOErrorBudgetBurn",
        "SLOObjectiveBreach",
        "SLOErrorBudgetLow",
        "SLOErrorBudgetExhausted",
        "SLOErrorBudgetRunsOut",
        "ServiceSilent",
        "IngestLoss",
        "Watchdog",
    }
)
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,99}", re.ASCII)
_SHORTEST_WINDOW, _LONGEST = "1m", "1d"
_LONGEST_TEXT: Final = 500


class ThresholdRule(RuleFields):
    """Alerts when the `aggregate` of a metric over the last `window` meets `condition` for as long as `for`.

    Every service and environment is a group of its own, and every combination of values of `group_by` within them:
    production and a test that fail together are two alerts. `attributes` keep only series that have all of them.
    `labels` are added to the alert, for routing; `runbook` is an address.

    Attributes:
        aggregate: max, min and avg are over all values in the window. last is what each series said last: of several
            the worst for the condition; sum adds them up. rate is the increase a second of a counter, or of a
            histogram's count of values, and increase its increase.
    """

    name: Text = Field(description="the alert's name")
    metric: Text = Field(description="the name of a metric that services send")
    service: Text = ""
    environment: Text = ""
    attributes: Texts = Field(default_factory=dict)
    group_by: tuple[Text, ...] = ()
    aggregate: Annotated[Aggregate, one_of("aggregate", AGGREGATES)] = "max"
    window: Duration = timedelta(minutes=5)
    condition: Annotated[ThresholdCondition, BeforeValidator(parse_condition)] = Field(
        description="an operator and a number, such as '> 1000'"
    )
    pending_for: Wait = Field(default=timedelta(0), alias="for")
    keep_firing_for: Wait = timedelta(0)
    severity: Annotated[Severity, one_of("severity", SEVERITIES)] = "ticket"
    labels: Texts = Field(default_factory=dict)
    summary: Text = ""
    runbook: Text = ""

    @field_validator("name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"name {name!r} must be up to 100 letters, digits, _ and -; write such as QueueTooLong")
        if name in OWN_NAMES:
            raise ValueError(f"name {name!r} is that of another alert of Ninelives; choose another, such as My{name}")
        return name

    @field_validator("metric")
    @classmethod
    def _is_metric(cls, metric: str) -> str:
        if not metric.strip():
            raise ValueError(f"metric {metric!r} is empty; write the name of a metric that services send")
        return metric

    @field_validator("group_by", mode="before")
    @classmethod
    def _is_list(cls, keys: object) -> object:
        if isinstance(keys, str):
            raise ValueError(f"group_by {keys!r} must be a list; write [{keys}]")  # noqa: TRY004 -- pydantic takes this one
        return keys

    @field_validator("group_by")
    @classmethod
    def _are_attributes(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for place, key in enumerate(keys):
            if key in {"service", "environment"}:
                raise ValueError(f"group_by {key!r} is always so: leave it out")
            if not key or key in keys[:place]:
                raise ValueError(f"group_by {list(keys)!r}: {key!r} must be an attribute that stands there once")
        return keys

    @field_validator("labels")
    @classmethod
    def _are_free(cls, labels: dict[str, str]) -> dict[str, str]:
        for name in labels:
            if _LABEL.fullmatch(name) is None:
                raise ValueError(f"label name {name!r} must be letters, digits and _; write {label_name(name)!r}")
            if name in OWN_LABELS:
                raise ValueError(f"label {name!r} is set by Ninelives itself; choose another name, such as 'my_{name}'")
        return labels

    @field_validator("summary")
    @classmethod
    def _is_short(cls, summary: str) -> str:
        if len(summary) > _LONGEST_TEXT:
            raise ValueError(
                f"summary {summary[:40]!r}... has {len(summary)} characters; write at most {_LONGEST_TEXT}"
            )
        return summary

    @field_validator("runbook")
    @classmethod
    def _is_address(cls, runbook: str) -> str:
        if runbook and (urlsplit(runbook).scheme not in {"http", "https"} or not urlsplit(runbook).netloc):
            raise ValueError(f"runbook {runbook!r} is no address; write such as https://wiki.example.org/queues")
        return runbook

    @model_validator(mode="after")
    def _fits(self) -> "ThresholdRule":
        check_between("window", self.window, _SHORTEST_WINDOW, _LONGEST)
        if self.window % timedelta(minutes=1):
            raise ValueError(f"'window' is {format_duration(self.window)}; write whole minutes, such as 5m")
        for name, wait in (("for", self.pending_for), ("keep_firing_for", self.keep_firing_for)):
            if wait:
                check_between(name, wait, "1s", _LONGEST)
        return self


def label_name(text: str) -> str:
    """Return *text* as a label's name.

    >>> label_name("messaging.destination.name"), label_name("1st")
    ('messaging_destination_name', '_1st')
    """
    name = re.sub(r"[^a-zA-Z0-9_]", "_", text)
    return name if _LABEL.fullmatch(name) else f"_{name}"
