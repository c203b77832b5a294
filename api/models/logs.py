from datetime import datetime
from typing import Any

from api.models.base import Model


class LogRecord(Model):
    """One log record. `severity_number`: 1 to 24, 0 where none was sent; `body` is text or any other value."""

    at: datetime
    observed_at: datetime | None
    service: str
    environment: str
    severity_number: int
    severity_text: str
    body: Any
    event_name: str
    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    dropped_attributes: int
    resource: dict[str, Any]
    scope: str
