from abc import ABC, abstractmethod
from typing import Any, Protocol

Plan = dict[str, Any]


class Fault(Protocol):
    """Something broken on purpose that knows how to mend it.

    `key` names what it breaks: two active faults never share one. `kills` counts killed processes.
    """

    key: str
    kills: int

    def check(self) -> None:
        """Raise FaultRefusedError when the fault cannot be injected now; changes nothing."""

    async def apply(self) -> None:
        """Inject it; raises FaultRefusedError when that fails. Called once, after the undo record is on disk."""

    async def revert(self) -> bool:
        """Mend it and return whether a probe saw it mended. May be called again, and without `apply` before."""


class LastingFault(ABC):
    """A `Fault` that would outlive a killed daemon: its undo record holds a plan, all that a revert needs.

    `detail` is what a person should know of it.
    """

    key: str
    kills = 0
    detail = ""

    @abstractmethod
    def check(self) -> None:
        """See `Fault.check`."""

    @abstractmethod
    async def plan(self) -> Plan:
        """Return what the revert needs, as JSON. Breaks nothing; raises FaultRefusedError when it cannot be done."""

    @abstractmethod
    def resume(self, plan: Plan) -> None:
        """Take over the *plan* of a fault that another daemon injected; raises ValueError when it is damaged."""

    @abstractmethod
    async def apply(self) -> None:
        """See `Fault.apply`; called after `plan`."""

    @abstractmethod
    async def revert(self) -> bool:
        """See `Fault.revert`; without `plan` or `resume` before, nothing was done and nothing is to mend."""

    def extend(self, lease_ms: int) -> None:  # noqa: B027 - most faults have nothing that ends by itself
        """Tell what ends by itself that it may stay for *lease_ms* from now."""
