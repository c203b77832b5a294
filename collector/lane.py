"""One signal's way from the socket to the database, and what became of everything on it."""

from asyncio import Future
from dataclasses import dataclass
from datetime import datetime

from collector.check.check import Checked
from collector.spool.spool import Spool
from collector.writer.writer import Writer


@dataclass(frozen=True, slots=True)
class SignalStatus:
    """What became of one signal's requests since the start. Items are spans, data points or log records.

    `received = accepted + rejected + repeated + refused`. Without a restart in between, what was accepted and is not
    stored yet waits in the spool or was put aside as a dead letter.

    Attributes:
        received_items: In requests that could be read and have their answer.
        accepted_items: On disk before they were acknowledged.
        rejected_items: Invalid by themselves and left out of their requests.
        repeated_items: Acknowledged again and not stored twice.
        refused_items: In requests that were refused after they had been read; the client sends them again.
        refused_requests: By the name of the refusal.
        dead_letters: Requests that lie in the dead-letter folder.
        damaged_requests: Found damaged on disk, and put aside.
        spool_fill: Share of the spool's limit that is used.
        spool_oldest_s: For how long the oldest of the waiting has been waiting.
        shedding_level: Priorities refused right now: 0 none, 1 low, 2 all but critical, 3 all.
        breaker: "closed", "open" or "half-open"; shared by all signals.
        last_error: Why the oldest segment is not stored yet; "" when all is well.
    """

    signal: str
    received_items: int
    accepted_items: int
    rejected_items: int
    repeated_items: int
    refused_items: int
    refused_requests: dict[str, int]
    accepted_requests: int
    stored_items: int
    dead_letters: int
    damaged_requests: int
    spool_bytes: int
    spool_segments: int
    spool_fill: float
    spool_oldest_s: float
    shedding_level: int
    breaker: str
    last_stored_at: datetime | None
    last_error: str


@dataclass(slots=True)
class Lane:
    """A spool, its writer, and counters of what was answered."""

    spool: Spool
    writer: Writer
    received_items: int = 0
    accepted_items: int = 0
    accepted_requests: int = 0
    rejected_items: int = 0
    repeated_items: int = 0
    refused_items: int = 0

    def settle(self, checked: Checked, written: Future[bool]) -> None:
        """Count a request whose fate on the disk is known: *written* now, known from before, or refused."""
        if written.exception() is not None:
            self.refuse(checked)
            return
        self.received_items += checked.accepted + checked.rejected
        self.rejected_items += checked.rejected
        if written.result():
            self.accepted_items += checked.accepted
            self.accepted_requests += 1
        else:
            self.repeated_items += checked.accepted

    def refuse(self, checked: Checked) -> None:
        """Count a request that was read and then refused."""
        self.received_items += checked.accepted + checked.rejected
        self.refused_items += checked.accepted + checked.rejected

    def status(
        self, signal: str, *, refused_requests: dict[str, int], shedding_level: int, breaker: str, now: float
    ) -> SignalStatus:
        """Return the status at *now*, in Unix seconds."""
        state = self.writer.state
        return SignalStatus(
            signal=signal,
            received_items=self.received_items,
            accepted_items=self.accepted_items,
            rejected_items=self.rejected_items,
            repeated_items=self.repeated_items,
            refused_items=self.refused_items,
            refused_requests=refused_requests,
            accepted_requests=self.accepted_requests,
            stored_items=state.stored_items,
            dead_letters=state.dead_letters,
            damaged_requests=state.damaged_requests,
            spool_bytes=self.spool.waiting_bytes(),
            spool_segments=self.spool.segments(),
            spool_fill=self.spool.fill(),
            spool_oldest_s=self.spool.oldest_age_s(now),
            shedding_level=shedding_level,
            breaker=breaker,
            last_stored_at=state.last_stored_at,
            last_error=state.last_error,
        )
