from datetime import datetime
from typing import Any, Literal

from api.models.base import Model

AlertState = Literal["pending", "firing", "resolved"]


class Alert(Model):
    id: str
    slo_id: str
    service: str
    environment: str
    severity: Literal["page", "ticket"]
    state: AlertState
    started_at: datetime
    resolved_at: datetime | None
    summary: str
    exemplar_trace_ids: list[str]
    details: dict[str, Any] = {}
    delivered: bool = False
