from datetime import datetime

from api.models.base import Model
from api.models.ingest import IngestStatus


class SloFileError(Model):
    file: str
    line: int | None
    reason: str


class Status(Model):
    """The service about itself: the first-run guide, `doctor` and the pages' notices read this.

    `may_operate`: who asks may change things, too.
    """

    version: str
    started_at: datetime
    spans_stored: int
    services: int
    newest_span_at: datetime | None
    last_tick_at: datetime | None
    last_tick_error: str
    addresses: dict[str, str]
    ingest: list[IngestStatus]
    slo_files: list[str]
    slo_errors: list[SloFileError]
    notices: list[str]
    may_operate: bool = True
