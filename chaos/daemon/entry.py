import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from chaos.daemon.lease import Lease
from chaos.faults import Fault
from chaos.wire import EndedBy, FaultPhase, FaultRequest, FaultState


@dataclass(slots=True)
class Entry:
    """One fault on the board. Its lock keeps injection and revert apart.

    `failures` counts the reverts that no probe confirmed, and `trouble` is why the last one was not.
    """

    id: str
    request: FaultRequest
    fault: Fault
    lease: Lease
    injected_at: datetime
    phase: FaultPhase = "active"
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    verified: bool | None = None
    trouble: str = ""
    failures: int = 0
    timer: asyncio.TimerHandle | None = None
    injection: asyncio.Task[None] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def end(self, ended_by: EndedBy, *, at: datetime) -> None:
        """Note that the fault is over, whatever becomes of its revert."""
        self.phase, self.ended_by, self.ended_at = "reverting", ended_by, at
        self.cancel_timer()

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def state(self, *, now_s: float) -> FaultState:
        """Return it as clients see it; *now_s* is on the lease's clock."""
        return FaultState(
            id=self.id,
            kind=self.request.kind,
            target=self.request.target,
            attributes=self.request.attributes,
            lease_ms=self.lease.lease_ms,
            expires_in_ms=self.lease.remaining_ms(now_s=now_s) if self.phase == "active" else 0,
            phase=self.phase,
            injected_at=self.injected_at,
            ended_at=self.ended_at,
            ended_by=self.ended_by,
            verified=self.verified,
            kills=self.fault.kills,
            detail=self.trouble or getattr(self.fault, "detail", ""),
        )
