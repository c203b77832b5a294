from datetime import datetime

from api.models.base import Model


class Annotation(Model):
    """Something that happened, drawn over charts: a chaos run, a deployment, dropped days."""

    id: str
    kind: str
    title: str
    started_at: datetime
    ended_at: datetime | None
    services: list[str] = []
    url: str = ""
