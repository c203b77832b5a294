import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from chaos.daemon.lease import Lease
from chaos.daemon.undo import UndoRecord, UndoRecords
from chaos.daemon.world import World
from chaos.errors import ChaosError, FaultRefusedError
from chaos.faults import Fault, build_fault
from chaos.wire import EndedBy, FaultPhase, FaultRequest, FaultState

RETRY_S = 5.0
CLOSE_S = 2.0
REMEMBERED = 200

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Entry:
    """One fault on the board. Its lock keeps injection and revert apart."""

    id: str
    request: FaultRequest
    fault: Fault
    lease: Lease
    injected_at: datetime
    phase: FaultPhase = "active"
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    verified: bool | None = None
    timer: asyncio.TimerHandle | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class FaultBoard:
    """The one place where faults start and end.

    Every fault has a lease and an undo record. It ends by request, when its lease ends, by the emergency stop or with
    the daemon; a revert that no probe could confirm is tried again every five seconds.
    """

    def __init__(self, world: World, records: UndoRecords) -> None:
        self._world = world
        self._records = records
        self._entries: dict[str, Entry] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def states(self) -> list[FaultState]:
        """Return the active faults and the latest ended ones, oldest first."""
        return [self._state(entry) for entry in self._entries.values()]

    def state(self, fault_id: str) -> FaultState:
        return self._state(self._entry(fault_id))

    async def inject(self, request: FaultRequest) -> FaultState:
        """Inject a fault: undo record first, then the fault, its lease counted from now.

        Raises:
            FaultRefusedError: the target is unknown, already broken in this way, or not there to be broken.
        """
        fault_id = f"f-{secrets.token_hex(4)}"
        fault = build_fault(fault_id, request, self._world)
        self._refuse_conflicts(fault)
        fault.check()
        entry = self._register(fault_id, request, fault)
        async with entry.lock:
            await asyncio.to_thread(self._records.write, UndoRecord(fault_id, request))
            if entry.phase == "active":  # an emergency stop or a short lease may have come first
                await self._apply(entry)
        return self._state(entry)

    def renew(self, fault_id: str, lease_ms: int) -> FaultState:
        """Count the lease anew from now.

        Raises:
            FaultRefusedError: 404 for an unknown fault, 409 for one that has ended.
        """
        entry = self._entry(fault_id)
        if entry.phase != "active":
            raise FaultRefusedError(f"fault {fault_id} has ended (by {entry.ended_by}); inject it again", 409)
        self._lease(entry, lease_ms)
        return self._state(entry)

    def amend(self, fault_id: str, request: FaultRequest) -> None:
        """Note that an active fault's attributes have changed, and renew it."""
        self._entry(fault_id).request = request
        self.renew(fault_id, request.lease_ms)

    async def revert(self, fault_id: str, ended_by: EndedBy) -> FaultState:
        """End a fault, active or already ended, and return how it stands after the probe.

        Raises:
            FaultRefusedError: 404 for an unknown fault.
        """
        entry = self._entry(fault_id)
        if entry.phase == "active":
            entry.phase, entry.ended_by, entry.ended_at = "reverting", ended_by, datetime.now(UTC)
            self._cancel_timer(entry)
        async with entry.lock:
            if entry.phase != "reverted":
                await self._mend(entry)
        return self._state(entry)

    async def revert_all(
        self, ended_by: EndedBy, *, only: Callable[[FaultState], bool] = lambda _: True
    ) -> list[FaultState]:
        """End every active fault that *only* accepts, side by side."""
        chosen = [state.id for state in self.states() if state.phase != "reverted" and only(state)]
        return list(await asyncio.gather(*(self.revert(fault_id, ended_by) for fault_id in chosen)))

    def recover(self) -> int:
        """Start reverting what an earlier daemon left behind, and return how many faults that is."""
        leftovers = self._records.leftovers()
        for record in leftovers:
            try:
                fault = build_fault(record.fault_id, record.request, self._world)
            except FaultRefusedError:
                self._records.clear(record.fault_id)  # its target is gone, and the broken part with it
                continue
            self._register(record.fault_id, record.request, fault)
            self._spawn(record.fault_id, "recovery")
        return len(leftovers)

    async def close(self) -> None:
        """End everything within two seconds; no fault is accepted any more."""
        self._closing = True
        with contextlib.suppress(TimeoutError):  # what is not verified by then stays on record for the next daemon
            async with asyncio.timeout(CLOSE_S):
                await self.revert_all("shutdown")
        for entry in self._entries.values():
            self._cancel_timer(entry)

    async def _apply(self, entry: Entry) -> None:
        entry.injected_at = datetime.now(UTC)
        try:
            await entry.fault.apply()
        except BaseException:
            entry.phase, entry.ended_by, entry.ended_at = "reverting", "failed-injection", datetime.now(UTC)
            self._cancel_timer(entry)
            await self._mend(entry)
            raise

    async def _mend(self, entry: Entry) -> None:
        try:
            entry.verified = await entry.fault.revert()
        except (OSError, ChaosError):
            log.exception("reverting %s (%s) failed; trying again", entry.id, entry.fault.key)
            entry.verified = False
        entry.phase = "reverted" if entry.verified else "unverified"
        if entry.verified:
            self._records.clear(entry.id)
        elif not self._closing:
            self._cancel_timer(entry)
            entry.timer = asyncio.get_running_loop().call_later(RETRY_S, self._spawn, entry.id, "lease")

    def _refuse_conflicts(self, fault: Fault) -> None:
        if self._closing:
            raise FaultRefusedError("the fault daemon is shutting down", 503)
        for entry in self._entries.values():
            if entry.fault.key == fault.key and entry.phase != "reverted":
                raise FaultRefusedError(f"{fault.key} is already broken by {entry.id} ({entry.phase})", 409)

    def _register(self, fault_id: str, request: FaultRequest, fault: Fault) -> Entry:
        now_s = asyncio.get_running_loop().time()
        entry = Entry(fault_id, request, fault, Lease.grant(request.lease_ms, now_s=now_s), datetime.now(UTC))
        self._entries[fault_id] = entry
        self._lease(entry, request.lease_ms)
        ended = [each.id for each in self._entries.values() if each.phase == "reverted"]
        for stale in ended[: max(0, len(ended) - REMEMBERED)]:
            del self._entries[stale]
        return entry

    def _lease(self, entry: Entry, lease_ms: int) -> None:
        loop = asyncio.get_running_loop()
        entry.lease = Lease.grant(lease_ms, now_s=loop.time())
        self._cancel_timer(entry)
        entry.timer = loop.call_at(entry.lease.deadline_s, self._spawn, entry.id, "lease")

    def _spawn(self, fault_id: str, ended_by: EndedBy) -> None:
        task = asyncio.get_running_loop().create_task(self._revert_known(fault_id, ended_by))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _revert_known(self, fault_id: str, ended_by: EndedBy) -> None:
        with contextlib.suppress(FaultRefusedError):
            await self.revert(fault_id, ended_by)

    def _cancel_timer(self, entry: Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None

    def _entry(self, fault_id: str) -> Entry:
        if fault_id not in self._entries:
            raise FaultRefusedError(f"fault {fault_id!r} is not known here", 404)
        return self._entries[fault_id]

    def _state(self, entry: Entry) -> FaultState:
        now_s = asyncio.get_running_loop().time()
        return FaultState(
            id=entry.id,
            kind=entry.request.kind,
            target=entry.request.target,
            attributes=entry.request.attributes,
            lease_ms=entry.lease.lease_ms,
            expires_in_ms=entry.lease.remaining_ms(now_s=now_s) if entry.phase == "active" else 0,
            phase=entry.phase,
            injected_at=entry.injected_at,
            ended_at=entry.ended_at,
            ended_by=entry.ended_by,
            verified=entry.verified,
            kills=entry.fault.kills,
        )
