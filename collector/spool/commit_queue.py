"""The queue of a spool: requests that wait for the next group commit, and their futures."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field


def running() -> Future[bool]:
    """Return a future that its holder cannot cancel: what is queued is written."""
    future: Future[bool] = Future()
    future.set_running_or_notify_cancel()
    return future


def answered(stored_now: bool) -> Future[bool]:
    future = running()
    future.set_result(stored_now)
    return future


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way to the disk; *done* tells when it is there."""

    data: bytes
    items: int
    digest: bytes
    done: Future[bool] = field(default_factory=running)


class CommitQueue:
    """Not thread-safe: the spool calls it under its lock.

    Attributes:
        size_bytes: Accepted, and not written yet.
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._waiting: deque[Request] = deque()
        self._unanswered: dict[bytes, Future[bool]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, request: Request) -> Future[bool]:
        self._unanswered[request.digest] = request.done
        self.size_bytes += len(request.data)
        self._waiting.append(request)
        return request.done

    def join(self, digest: bytes) -> Future[bool] | None:
        """Return a future for a body that is on its way already: done with the first one, but not counted again."""
        first = self._unanswered.get(digest)
        if first is None:
            return None
        second = running()
        first.add_done_callback(lambda done: _answer_like(done, second))
        return second

    def take(self) -> list[Request]:
        """Return everything that waits, for one commit."""
        batch = list(self._waiting)
        self._waiting.clear()
        return batch

    def settle(self, batch: Iterable[Request]) -> None:
        """Count *batch* no longer: it is written, or refused."""
        for request in batch:
            self._unanswered.pop(request.digest, None)
            self.size_bytes -= len(request.data)


def _answer_like(first: Future[bool], second: Future[bool]) -> None:
    error = first.exception()
    if error is None:
        second.set_result(False)
    else:
        second.set_exception(error)
