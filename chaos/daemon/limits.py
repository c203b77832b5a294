"""The limits of the targets file: the most that may be broken at once."""

from collections.abc import Iterable

from chaos.daemon.targets import Limits
from chaos.errors import FaultRefusedError
from chaos.wire import EDGE_KINDS, FaultRequest, FaultState


def require_within(limits: Limits, request: FaultRequest, states: Iterable[FaultState]) -> None:
    """Check *request* against *limits*.

    Args:
        limits: what the targets file allows.
        request: what is to be injected.
        states: the faults on the board; those that are not reverted count.

    Raises:
        FaultRefusedError: 400 for its lease or share, 409 for one fault too many.
    """
    require_lease(limits, request.lease_ms)
    share = share_of(request)
    if share > limits.max_share:
        raise FaultRefusedError(
            f"this fault would hit {share:g} of the requests, and limits.max_share of the targets file is "
            f"{limits.max_share:g}; give it groups with a smaller share",
            400,
        )
    broken = [state.id for state in states if state.phase != "reverted"]
    if limits.max_faults is not None and len(broken) >= limits.max_faults:
        raise FaultRefusedError(
            f"{', '.join(broken)} make {len(broken)} fault(s), and limits.max_faults of the targets file is "
            f"{limits.max_faults}; revert one first",
            409,
        )


def require_lease(limits: Limits, lease_ms: int) -> None:
    """Raise FaultRefusedError (400) when *lease_ms* is longer than a lease may be here."""
    if lease_ms > limits.max_lease_ms:
        raise FaultRefusedError(
            f"lease_ms is {lease_ms}, and limits.max_lease_ms of the targets file is {limits.max_lease_ms}; "
            "ask for less and renew it",
            400,
        )


def share_of(request: FaultRequest) -> float:
    """Return the share of requests (0..1) that a fault on a proxy hits, 0 for one that is not about requests.

    Without groups it is the toxicity, which is a share of connections.
    """
    if request.kind not in EDGE_KINDS:
        return 0.0
    return float(request.attributes.get("toxicity", 1.0) if request.groups is None else request.groups.share)
