import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from chaos.daemon.emergency_stop import EmergencyStop
from chaos.daemon.entry import Entry
from chaos.daemon.lease import Lease
from chaos.daemon.limits import require_lease, require_within
from chaos.daemon.recovery import leftover_fault
from chaos.daemon.undo import UndoRecord, UndoRecords
from chaos.daemon.world import World
from chaos.errors import ChaosError, FaultRefusedError
from chaos.faults import Fault, LastingFault, build_fault
from chaos.waiting import in_thread
from chaos.wire import EmergencyStopRequest, EndedBy, FaultRequest, FaultState

FIRST_RETRY_S = 0.2
RETRY_S = 5.0
CLOSE_S = 2.0
REMEMBERED = 200

log = logging.getLogger(__name__)


def retry_wait_s(failures: int) -> float:
    """Return how many seconds after that many failures a revert is tried again.

    >>> [retry_wait_s(failures) for failures in (0, 1, 2, 5, 100_000)]
    [0.2, 0.4, 0.8, 5.0, 5.0]
    """
    return min(RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures, 10))


class FaultBoard:
    """The one place where faults start and end.

    Every fault has a lease and an undo record. It ends by request, when its lease ends, by the emergency stop or with
    the daemon; a revert that no probe could confirm is tried again at once, then less often, at least every 5 s.
    """

    def __init__(self, world: World, records: UndoRecords, emergency_stop: EmergencyStop) -> None:
        self.emergency_stop = emergency_stop
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
            FaultRefusedError: the target is unknown, already broken in this way, or not there to be broken; a limit
                or the emergency stop forbids it; or it was ended before it was all there.
        """
        self.emergency_stop.require_released()
        fault_id = f"f-{secrets.token_hex(4)}"
        fault = build_fault(fault_id, request, self._world)
        require_within(self._world.limits, request, self.states())
        self._refuse_conflicts(fault)
        fault.check()
        entry = self._register(fault_id, request, fault)
        async with entry.lock:
            entry.injection = asyncio.create_task(self._apply(entry))
            await self._see_through(entry, entry.injection)
        return self._state(entry)

    def renew(self, fault_id: str, lease_ms: int) -> FaultState:
        """Count the lease anew from now.

        Raises:
            FaultRefusedError: 404 for an unknown fault, 409 for one that has ended, 400 for too long a lease.
        """
        require_lease(self._world.limits, lease_ms)
        entry = self._entry(fault_id)
        if entry.phase != "active":
            raise FaultRefusedError(f"fault {fault_id} has ended (by {entry.ended_by}); inject it again", 409)
        self._lease(entry, lease_ms)
        if isinstance(entry.fault, LastingFault):
            entry.fault.extend(lease_ms)
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
            entry.end(ended_by, at=datetime.now(UTC))
            if entry.injection is not None:
                entry.injection.cancel()  # half of it is mended like the whole
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

    async def stop_all(self, request: EmergencyStopRequest) -> list[FaultState]:
        """Allow no fault any more, end every one, and return what was ended.

        Raises:
            OSError: the lock could not be written: everything was ended, but a restart would unlock.
        """
        self.emergency_stop.lock(request, at=datetime.now(UTC))
        states, saved = await asyncio.gather(
            self.revert_all("emergency-stop"), in_thread(self.emergency_stop.save), return_exceptions=True
        )
        for outcome in (states, saved):
            if isinstance(outcome, BaseException):
                raise outcome
        assert isinstance(states, list)
        return states

    def recover(self) -> int:
        """Start reverting what an earlier daemon left behind, and return how many faults that is."""
        leftovers = self._records.leftovers()
        for record in leftovers:
            try:
                fault = leftover_fault(record, self._world)
            except (ValueError, ChaosError) as error:
                self._records.set_aside(record.fault_id, str(error))
                continue
            if fault is None:
                self._records.clear(record.fault_id)
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
            entry.cancel_timer()

    async def _apply(self, entry: Entry) -> None:
        fault = entry.fault
        plan = await fault.plan() if isinstance(fault, LastingFault) else {}
        await in_thread(self._records.write, UndoRecord(entry.id, entry.request, plan))
        entry.injected_at = datetime.now(UTC)
        await fault.apply()

    async def _see_through(self, entry: Entry, injection: asyncio.Task[None]) -> None:
        try:
            await asyncio.wait({injection})
        finally:
            injection.cancel()  # does nothing when it is done
        if entry.phase != "active":  # whoever ended it waits for the lock, to mend it
            remedy = "; give it a longer lease" if entry.ended_by == "lease" else ""
            raise FaultRefusedError(
                f"fault {entry.id} was ended by {entry.ended_by} while it was injected{remedy}", 409
            )
        error = injection.exception()
        if error is not None:
            entry.end("failed-injection", at=datetime.now(UTC))
            await self._mend(entry)
            if isinstance(error, FaultRefusedError | OSError):
                raise error
            raise FaultRefusedError(f"{entry.fault.key} could not be injected: {error}", 409) from error

    async def _mend(self, entry: Entry) -> None:
        try:
            entry.verified = await entry.fault.revert()
            entry.trouble = "" if entry.verified else "no probe has seen it reverted yet"
            if entry.verified:
                await in_thread(self._records.clear, entry.id)
        except Exception as error:  # whatever it was: the fault is still there, and must not be forgotten
            log.exception("reverting %s (%s) failed; trying again", entry.id, entry.fault.key)
            entry.verified, entry.trouble = False, str(error)
        entry.phase = "reverted" if entry.verified else "unverified"
        if not entry.verified and not self._closing:
            entry.cancel_timer()
            wait_s = retry_wait_s(entry.failures)
            entry.timer = asyncio.get_running_loop().call_later(wait_s, self._spawn, entry.id, "lease")
            entry.failures += 1

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
        entry.cancel_timer()
        entry.timer = loop.call_at(entry.lease.deadline_s, self._spawn, entry.id, "lease")

    def _spawn(self, fault_id: str, ended_by: EndedBy) -> None:
        task = asyncio.get_running_loop().create_task(self._revert_known(fault_id, ended_by))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _revert_known(self, fault_id: str, ended_by: EndedBy) -> None:
        with contextlib.suppress(FaultRefusedError):
            await self.revert(fault_id, ended_by)

    def _entry(self, fault_id: str) -> Entry:
        if fault_id not in self._entries:
            raise FaultRefusedError(f"fault {fault_id!r} is not known here", 404)
        return self._entries[fault_id]

    def _state(self, entry: Entry) -> FaultState:
        return entry.state(now_s=asyncio.get_running_loop().time())
