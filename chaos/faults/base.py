from typing import Protocol


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
