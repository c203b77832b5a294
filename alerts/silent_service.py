"""A service that sends nothing in hours in which it usually does; a service that is no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import model_validator

from alerts.rule_fields import Duration, RuleFields, Switch, check_between
from alerts.timing import IMMEDIATELY, AlertTiming
from alerts.transition import AlertDetails
from slo.policy import Severity
from slo.wording import span_of_time

ALERT_NAME: Final = "ServiceSilent"
HOUR: Final = timedelta(hours=1)
MEMORY: Final = timedelta(days=7, hours=3)  # as far back as `Heard.misses` looks
_HOUR_S: Final = 3600
_DAY_H: Final = 24
_WEEK_D: Final = 7
_USUAL_DAYS: Final = 3


class NoDataRule(RuleFields):
    """When silence is worth a ticket: after `after`, and as the end of a service: after `retire_after`."""

    enabled: Switch = True
    after: Duration = timedelta(minutes=10)
    retire_after: Duration = timedelta(days=7)

    @model_validator(mode="after")
    def _fits(self) -> "NoDataRule":
        check_between("after", self.after, "2m", "1d")
        check_between("retire_after", self.retire_after, "2d", "30d")
        return self


@dataclass(frozen=True, slots=True)
class SilenceSignal:
    """What the silence of a service says; implements `AlertSignal`.

    Once it fires it goes on until the service is heard of again or retired: that the hours in which it usually sends
    are over repairs nothing.

    Attributes:
        last: the minute of the newest span or point.
        silent: nothing came for as long as the rule allows.
        unusual: at this time it usually sends, and what came in was stored: the silence is the service's own.
        retired: nothing came for so long that nobody waits for it.
    """

    service: str
    environment: str
    last: datetime
    after: timedelta
    silent: bool
    unusual: bool
    retired: bool = False

    @property
    def rule(self) -> str:
        return f"silence/{self.service}/{self.environment}"

    @property
    def severity(self) -> Severity:
        return "ticket"

    @property
    def slo_id(self) -> str:
        return ""

    @property
    def timing(self) -> AlertTiming:
        return IMMEDIATELY

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        return ()

    @property
    def met(self) -> bool:
        return self.silent and self.unusual and not self.retired

    @property
    def clear(self) -> bool:
        return not self.silent or self.retired

    def firing_summary(self) -> str:
        waited = f"over {span_of_time(self.after)}"
        name = _name(self.service, self.environment)
        return f"{name} is silent: no spans and no metrics since {self.last:%Y-%m-%d %H:%M} UTC ({waited})"

    def resolved_summary(self) -> str:
        if self.retired:
            return retired_summary(self.service, self.environment, self.last)
        return f"{_name(self.service, self.environment)} sends again"

    def details(self) -> AlertDetails:
        return AlertDetails(alert_name=ALERT_NAME, slo_name=f"Data from {_name(self.service, self.environment)}")


def retired_summary(service: str, environment: str, last: datetime) -> str:
    """Return why every alert of a retired service ends.

    >>> retired_summary("checkout", "prod", datetime(2026, 3, 1, 12, tzinfo=UTC))
    'checkout in prod was retired: nothing since 2026-03-01'
    """
    return f"{_name(service, environment)} was retired: nothing since {last.astimezone(UTC):%Y-%m-%d}"


def hour_of(moment: datetime) -> int:
    """Return the hours since 1970, cut."""
    return int(moment.timestamp()) // _HOUR_S


@dataclass(slots=True)
class Heard:
    """When a service was heard of: `first`, `last`, and in which minutes (bit 0: minute 0) of the hours of `MEMORY`."""

    first: datetime
    last: datetime
    hours: dict[int, int]

    def misses(self, start: datetime, end: datetime) -> bool:
        """Return whether a silence since `last` is none of those that it makes itself, judged over [start, end].

        Each hour that [start, end] touches, the one before and the one after must have had traffic at the same time on
        3 of the last 7 days, one of them the same day of the week. The weekday keeps Saturdays quiet for who works from
        Monday to Friday. The hours around keep the edges quiet: a nightly job that begins late or is done early is no
        news, and neither is one of less than three hours, which has edges only. And the silence must be longer than
        twice the longest pause that the service made in those hours: who has a request every half hour is not missed
        after ten minutes.

        Of a service that is younger than a week no weekend is known. It is missed only if it was heard of in every one
        of the 24 hours before `last`: who never pauses may be missed. Younger than a day it is not: its first silence
        may be its first night.
        """
        around = range(hour_of(start) - 1, hour_of(end) + 2)
        if hour_of(self.first) > around.start - _WEEK_D * _DAY_H:
            stretches = self._whole_stretches([range(hour_of(self.last) - _DAY_H, hour_of(self.last))])
            usual = bool(stretches)
        else:
            days = range(_WEEK_D, 0, -1)
            stretches = self._whole_stretches(
                [range(around.start - day * _DAY_H, around.stop - day * _DAY_H) for day in days]
            )
            usual = len(stretches) >= _USUAL_DAYS and stretches[0][0] == around.start - _WEEK_D * _DAY_H
        pauses = (self._longest_pause(stretch) for stretch in stretches)
        return usual and end - self.last > 2 * timedelta(minutes=max(pauses, default=0))

    def _whole_stretches(self, stretches: Sequence[range]) -> list[range]:
        """Return those of *stretches* of hours in each hour of which the service was heard of."""
        return [stretch for stretch in stretches if all(self.hours.get(hour) for hour in stretch)]

    def _longest_pause(self, hours: range) -> int:
        """Return how many minutes on end it was not heard of."""
        heard = "".join(f"{self.hours[hour]:060b}"[::-1] for hour in hours)
        return max(map(len, heard.split("1")))


def _name(service: str, environment: str) -> str:
    return f"{service} in {environment}" if environment else service
