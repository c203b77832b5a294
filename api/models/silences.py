from datetime import datetime
from typing import Literal

from api.models.base import Model

SilenceState = Literal["pending", "active", "expired"]


class NewSilence(Model):
    """Alerts that nobody wants to hear of in [starts_at, ends_at); without a start from now on.

    `matchers` are Alertmanager's: `service_name="checkout"`, `severity=~"page|ticket"`, `slo_id!="x"`; all must match.
    `until_resolved`: it ends before its end once no alert that it matches is left.
    """

    matchers: list[str]
    ends_at: datetime
    starts_at: datetime | None = None
    author: str
    comment: str
    until_resolved: bool = False


class Silence(Model):
    """A silence on record; `alert_ids` are the pending and firing alerts that it matches now, also before it begins."""

    id: str
    state: SilenceState
    matchers: list[str]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    created_at: datetime
    until_resolved: bool
    expired_at: datetime | None
    alert_ids: list[str] = []
