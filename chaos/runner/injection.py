"""The faults of one run on the daemon, kept alive by renewing their leases."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chaos.errors import FaultDaemonError, RunRefusedError
from chaos.fault_client import FaultClient
from chaos.runner.ending import EndedEarlyError
from chaos.wire import FaultRequest, FaultState


@dataclass(slots=True)
class Injection:
    """Injects all faults or none. What cannot be reverted from here ends with its lease of *lease_s*."""

    daemon: FaultClient
    requests: Sequence[FaultRequest]
    lease_s: float
    clock: Callable[[], datetime]
    faults: list[FaultState] = field(default_factory=list)
    _alive_until: datetime | None = None

    def start(self) -> datetime:
        """Inject, and return since when the first fault is in force.

        Raises:
            RunRefusedError: the daemon refuses one; those before it are reverted.
        """
        asked_at = self.clock()
        for request in self.requests:
            try:
                self.faults.append(self.daemon.inject(request))
            except FaultDaemonError as error:
                self.abandon()
                fate = "" if error.status else f"; had it been injected, its lease of {self.lease_s:g} s ends it"
                raise RunRefusedError(f"{error}{fate}") from error
        self._alive_until = asked_at + timedelta(seconds=self.lease_s)
        # The daemon's own moment is the exact one; a daemon whose clock is off is held to what was seen from here.
        return min(max(self.faults[0].injected_at, asked_at), self.clock())

    def renew(self) -> None:
        """Renew every lease.

        Raises:
            EndedEarlyError: a fault has ended, or nobody answered for as long as the leases last.
        """
        asked_at = self.clock()
        assert self._alive_until is not None
        try:
            for fault in self.faults:
                self.daemon.renew(fault.id, round(self.lease_s * 1000))
        except FaultDaemonError as error:
            if error.status or self.clock() > self._alive_until:
                raise EndedEarlyError(f"the fault ended before its time ({error})") from error
        else:
            self._alive_until = asked_at + timedelta(seconds=self.lease_s)

    def end(self) -> list[FaultState]:
        """Revert every fault, and return how each ended.

        Raises:
            EndedEarlyError: a revert was not confirmed, or a fault had ended by itself.
        """
        ended = []
        for fault in reversed(self.faults):
            try:
                ended.append(self.daemon.revert(fault.id))
            except FaultDaemonError as error:
                self.abandon()
                raise EndedEarlyError(
                    f"the revert was not confirmed ({error}); the lease of {self.lease_s:g} s ends the fault"
                ) from error
        early = next((state for state in ended if state.ended_by != "request"), None)
        if early is not None:
            raise EndedEarlyError(f"the fault on {early.target} ended before its time, by {early.ended_by}")
        return ended[::-1]

    def abandon(self) -> None:
        """Revert what can be reverted, and complain about nothing: the run ends for another reason."""
        for fault in self.faults:
            with contextlib.suppress(FaultDaemonError):
                self.daemon.revert(fault.id)
