import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class Stop:
    """A wish to end early. Set by a signal, looked at between two steps: a revert is never cut short."""

    reason: str = ""

    @property
    def requested(self) -> bool:
        return bool(self.reason)


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Yield a Stop that SIGTERM and SIGINT set while the block runs. Main thread only."""
    stop = Stop()

    def note(number: int, _: FrameType | None) -> None:
        stop.reason = signal.Signals(number).name

    previous = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
