"""What is known of the time of a run beside its verdict."""

from datetime import datetime

from api.models.base import Model


class ServedVersion(Model):
    """Requests that one version of a service answered in a window; "" is a service that does not tell its version."""

    service: str
    version: str
    requests: int
    errors: int
    first_at: datetime
    last_at: datetime


class SloSides(Model):
    """Events of one objective in the time of a fault, and on both sides of the comparison.

    `total` and `bad` are all events of that time, those of neither arm included; control is the arm without the fault,
    or the baseline. `window_total` are the events in the objective's own window, `budget_events` how many of those may
    be bad: the whole error budget. None where nothing was counted yet.
    """

    slo_id: str
    service: str
    environment: str
    objective: float
    total: int
    bad: int
    control_total: int
    control_bad: int
    treatment_total: int
    treatment_bad: int
    window_total: int
    budget_events: float | None
    error_budget_remaining: float | None
