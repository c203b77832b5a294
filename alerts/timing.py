"""How long a condition must last before an alert changes its state."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class AlertTiming:
    """How long a condition must be met before the alert fires, and clear before it is resolved."""

    pending_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)


IMMEDIATELY: Final = AlertTiming()
