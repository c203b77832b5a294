from datetime import datetime

from api.models.base import Model, Severity


class IngestStatus(Model):
    """Per signal: what became of its requests since the start. Items are spans, data points or log records.

    `received = accepted + rejected + repeated + refused`; what was accepted and is not stored waits in the spool or is
    a dead letter. `shedding_level` counts the priorities that are refused now (0..3), `breaker` is the circuit breaker
    before the database.
    """

    signal: str
    accepted_items: int
    spool_bytes: int
    spool_segments: int
    last_stored_at: datetime | None
    dead_letters: int
    last_error: str
    received_items: int = 0
    rejected_items: int = 0
    repeated_items: int = 0
    refused_items: int = 0
    refused_requests: dict[str, int] = {}
    accepted_requests: int = 0
    stored_items: int = 0
    damaged_requests: int = 0
    spool_fill: float = 0.0
    spool_oldest_s: float = 0.0
    shedding_level: int = 0
    breaker: str = "closed"


class IngestAlarm(Model):
    """Something wrong with the way in.

    `alarm` is lost, breaker_open, spool_filling, spool_old, damaged, dead_letters, refusing, rejecting or silent.
    """

    alarm: str
    severity: Severity
    collector: str
    signal: str
    text: str
    remedy: str


class IngestStage(Model):
    """What became of one signal's items at one collector since `started_at`, as it reported at `at`.

    Items are spans, data points or log records. `received = accepted + rejected + repeated + refused`, and
    `accepted + found = waiting + stored + put aside + unaccounted`, `found` being what an earlier process had left.
    """

    collector: str
    signal: str
    at: datetime
    started_at: datetime
    received_items: int
    accepted_items: int
    rejected_items: int
    repeated_items: int
    refused_items: int
    refused_requests: dict[str, int]
    found_items: int
    waiting_items: int
    stored_items: int
    put_aside_items: int
    unaccounted_items: int
    dead_letters: int
    damaged_requests: int
    spool_bytes: int
    spool_fill: float
    spool_oldest_s: float
    shedding_level: int
    breaker: str
    breaker_s: float
    last_stored_at: datetime | None
    last_error: str
    final: bool


class IngestPoint(Model):
    """What all collectors counted of one signal in a step that begins at `at`."""

    signal: str
    at: datetime
    received: int
    stored: int
    rejected: int
    refused: int
    refused_requests: int


class ServiceVolume(Model):
    """What is stored of a service with a time in the window.

    Sampled spans count as those that they stand for, and spans whose time could not be believed are missing; points and
    log records are exact.
    """

    service: str
    environment: str
    signal: str
    items: int
    last_at: datetime


class DeadLetter(Model):
    """A request that could not be stored, in the folder of the API's own process; `items` None: nobody could count."""

    signal: str
    at: datetime
    items: int | None
    size_bytes: int
    reason: str
    file: str


class IngestHealth(Model):
    """The way in: what is wrong with it, its stages, and what is stored of each service.

    `error` says why the database could not be asked; then there are the stages of this process only.
    """

    as_of: datetime
    window_s: int
    step_s: int
    alarms: list[IngestAlarm]
    stages: list[IngestStage]
    series: list[IngestPoint]
    services: list[ServiceVolume]
    dead_letters: list[DeadLetter]
    error: str = ""
