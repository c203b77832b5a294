"""What one evaluation says to one alert: the only thing that `decide` knows of an alert's cause."""

from typing import Protocol

from alerts.timing import IMMEDIATELY, AlertTiming
from alerts.transition import AlertDetails
from slo.policy import Severity


class AlertSignal(Protocol):
    """A rule at one moment.

    `rule` and `severity` are the alert's identity: two signals of the same rule and severity speak to the same alert.
    Classes that name this one as their base have the defaults of `timing` and `labels`; one that has any of these
    properties as a field cannot, and says both itself.
    """

    @property
    def rule(self) -> str: ...

    @property
    def severity(self) -> Severity: ...

    @property
    def slo_id(self) -> str:
        """The objective that the rule watches; "" where it watches none."""

    @property
    def service(self) -> str: ...

    @property
    def environment(self) -> str: ...

    @property
    def timing(self) -> AlertTiming:
        """The delays of the rule."""
        return IMMEDIATELY

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Labels that the rule gives its alerts, for routing."""
        return ()

    @property
    def met(self) -> bool:
        """Whether the condition is met."""

    @property
    def clear(self) -> bool:
        """Whether the condition is known not to be met; neither met nor clear is "not known"."""

    def firing_summary(self) -> str:
        """Return what is wrong in one plain sentence; asked for only while met."""

    def resolved_summary(self) -> str:
        """Return in one plain sentence that it is over; asked for only when clear."""

    def details(self) -> AlertDetails:
        """Return the numbers behind it."""
