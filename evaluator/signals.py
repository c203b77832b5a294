"""Where the signals of a tick come from."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from alerts.signal import AlertSignal


class SignalSource(Protocol):
    """One kind of rules: objectives, thresholds on metrics, services that fall silent."""

    def signals(self, now: datetime) -> list[AlertSignal]:
        """Return a signal for every rule that there is, also for those that nothing is known of at *now*.

        An alert whose rule has no signal any more is closed. Whatever is raised is noted; then the alerts of this
        source stay as they are, and other sources are asked all the same.
        """


@runtime_checkable
class Explaining(Protocol):
    """A source that knows why it says nothing of an alert."""

    def why_unsaid(self, rule: str) -> str | None:
        """Return the reason with which an alert of *rule* ends, of which `signals` said nothing.

        "" where it stays as it is, for nobody can know whether it is over; None where the rule is not this source's,
        or was removed.
        """
