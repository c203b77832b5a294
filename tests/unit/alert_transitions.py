"""Alerts for tests: episodes told by the minutes at which they began, fired and ended."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from alerts.transition import AlertDetails, Transition, WindowDetails

START = datetime(2026, 10, 5, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minute):
    """Return the time of the minute number *minute*; None stays None."""
    return None if minute is None else START + minute * MINUTE


def episode(alert_id, fired, ended=None, *, began=None, service="shop", environment="prod", severity="page", **fields):
    """Return the last transition of an episode that fired in minute *fired* and ended in minute *ended*."""
    name = fields.pop("alert_name", "SLOErrorBudgetBurn")
    window = WindowDetails("30d", 998_000, 1_234, 999_234, 2.5)
    details = AlertDetails(name, "Checkout availability", Decimal("0.999"), None, window, 0.25)
    return Transition(
        **{
            "alert_id": alert_id,
            "sequence": 1 if ended is None else 2,
            "slo_id": f"{service}-availability",
            "service": service,
            "environment": environment,
            "severity": severity,
            "state": "firing" if ended is None else "resolved",
            "at": at(fired if ended is None else ended),
            "started_at": at(fired if began is None else began),
            "fired_at": at(fired),
            "resolved_at": at(ended),
            "summary": f"{alert_id} fails",
            "details": details,
        }
        | fields
    )
