"""Accepting a request: check, spool, answer. Both transports call this and only translate its outcome."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from collector.check import Checked, check
from collector.errors import Refused
from collector.self_metrics import SelfMetrics
from collector.spool import Spool
from collector.writer import Writer
from storage.client import Database

SIGNALS = ("traces", "metrics")


@dataclass(frozen=True, slots=True)
class SignalStatus:
    """One signal's way from the socket to the database, since the start."""

    signal: str
    accepted_items: int
    spool_bytes: int
    spool_segments: int
    last_stored_at: datetime | None
    dead_letters: int
    last_error: str


@dataclass(slots=True)
class _Lane:
    spool: Spool
    writer: Writer
    accepted_items: int = field(default=0)


class Intake:
    """The collector's core: a spool and a writer for each signal.

    Args:
        data: The data folder; `spool/<signal>` and `dead-letter` lie in it.
        spool_limit_bytes: For each signal; beyond it requests are refused as retryable.
    """

    def __init__(self, database: Database, data: Path, metrics: SelfMetrics, *, spool_limit_bytes: int) -> None:
        self.metrics = metrics
        self._lanes: dict[str, _Lane] = {}
        for signal in SIGNALS:
            spool = Spool(data / "spool" / signal, limit_bytes=spool_limit_bytes)
            writer = Writer(
                signal, spool, database, data / "dead-letter", metrics.insert_seconds.labels(signal).observe
            )
            self._lanes[signal] = _Lane(spool, writer)
            metrics.watch(signal, spool.waiting_bytes)

    def start(self) -> None:
        for lane in self._lanes.values():
            lane.writer.start()

    async def accept(self, signal: str, body: bytes) -> Checked:
        """Return what was accepted of an uncompressed *body*, after it is durable.

        Raises:
            Refused: nothing was stored; the error says how to answer.
        """
        lane = self._lanes[signal]
        try:
            checked = check(signal, body)
            if checked.accepted:
                await asyncio.shield(asyncio.wrap_future(lane.spool.append(body, checked.data, checked.accepted)))
        except Refused as refusal:
            self.metrics.refused.labels(signal, type(refusal).__name__).inc()
            raise
        lane.accepted_items += checked.accepted
        self.metrics.accepted.labels(signal).inc(checked.accepted)
        if checked.rejected:
            self.metrics.rejected.labels(signal).inc(checked.rejected)
        return checked

    def status(self) -> list[SignalStatus]:
        return [
            SignalStatus(
                signal=signal,
                accepted_items=lane.accepted_items,
                spool_bytes=lane.spool.waiting_bytes(),
                spool_segments=lane.spool.segments(),
                last_stored_at=lane.writer.state.last_stored_at,
                dead_letters=lane.writer.state.dead_letters,
                last_error=lane.writer.state.last_error,
            )
            for signal, lane in self._lanes.items()
        ]

    def close(self, timeout_s: float) -> bool:
        """Seal, write out and stop, in at most about *timeout_s*. True when everything reached the database."""
        for lane in self._lanes.values():
            lane.spool.close()
        finished = [lane.writer.stop(timeout_s) for lane in self._lanes.values()]
        return all(finished) and not any(lane.spool.segments() for lane in self._lanes.values())
