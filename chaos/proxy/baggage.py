"""The W3C baggage that tells services downstream to which arm of which run a request belongs."""

from collections.abc import Sequence
from urllib.parse import quote

from chaos.proxy.arms import Arm

Headers = Sequence[tuple[bytes, bytes]]


def with_arm(headers: Headers, *, run: str, arm: Arm) -> list[tuple[bytes, bytes]]:
    """Return *headers* with `chaos.run` and `chaos.group` in their baggage, behind what is there.

    >>> with_arm([(b"Baggage", b"user=7")], run="late-1", arm="control")
    [(b'Baggage', b'user=7,chaos.run=late-1,chaos.group=control')]
    >>> with_arm([(b"Host", b"shop")], run="late-1", arm="treatment")
    [(b'Host', b'shop'), (b'baggage', b'chaos.run=late-1,chaos.group=treatment')]
    """
    marked = list(headers)
    ours = f"chaos.run={quote(run, safe='')},chaos.group={arm}".encode()
    for position in reversed(range(len(marked))):
        name, value = marked[position]
        if name.lower() == b"baggage":
            marked[position] = (name, value + b"," + ours if value.strip() else ours)
            return marked
    return [*marked, (b"baggage", ours)]
