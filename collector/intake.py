"""Accepting a request: check, admit, spool, answer. Both transports call this and only translate its outcome."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from collector.admission.admission import Admission, Entry
from collector.check.check import Checked, check
from collector.check.item_limit import DEFAULT_ITEM_LIMIT
from collector.errors import BadPayload, Refused
from collector.lane import Lane, SignalStatus
from collector.otlp_json.encode import encode
from collector.self_metrics import SelfMetrics
from collector.spool.open_segment import Fsync
from collector.spool.spool import Spool
from collector.writer.breaker import Breaker
from collector.writer.writer import Writer
from storage.client import Database

SIGNALS = ("traces", "metrics", "logs")


class Intake:
    """The collector's core: a spool and a writer for each signal.

    Args:
        data: The data folder; `spool/<signal>` and `dead-letter` lie in it.
        spool_limit_bytes: For each signal; beyond it requests are refused as retryable.
        spool_age_limit_s: They are refused too while something waits for longer; None: however long.
        fsync: When a request is synced to the disk, see `Spool`.
        item_limit: Most spans, data points or log records in a request.
        admission: By default everybody is let in.
    """

    def __init__(
        self,
        database: Database,
        data: Path,
        metrics: SelfMetrics,
        *,
        spool_limit_bytes: int,
        spool_age_limit_s: float | None = None,
        fsync: Fsync = "always",
        item_limit: int = DEFAULT_ITEM_LIMIT,
        admission: Admission | None = None,
    ) -> None:
        self.metrics = metrics
        self.breaker = Breaker()
        self.overflowing: frozenset[str] = frozenset()  # services beyond their limit of operation names
        self.overflowing_series: frozenset[str] = frozenset()  # services beyond their limit of metric series
        self._item_limit = item_limit
        self._lanes: dict[str, Lane] = {}
        for signal in SIGNALS:
            spool = Spool(
                data / "spool" / signal, limit_bytes=spool_limit_bytes, age_limit_s=spool_age_limit_s, fsync=fsync
            )
            observe = metrics.insert_seconds.labels(signal).observe
            writer = Writer(signal, spool, database, data / "dead-letter", self.breaker, observe)
            self._lanes[signal] = Lane(spool, writer)
        self.admission = admission or Admission()
        self.admission.spool_fill = self._spool_fill
        metrics.watch(self.status, self.admission)

    def start(self) -> None:
        self.admission.sampler.start()
        for lane in self._lanes.values():
            lane.writer.start()

    async def accept(self, signal: str, body: bytes, entry: Entry, *, as_json: bool = False) -> Checked:
        """Return what was accepted of an uncompressed *body*, after it is durable.

        Args:
            signal: One of SIGNALS.
            body: Its memory is taken already.
            entry: From `admission.enter`.
            as_json: The body is OTLP/JSON instead of protobuf.

        Raises:
            Refused: nothing was stored; the error says how to answer.
        """
        entry.signal = signal
        lane = self._lanes[signal]
        checked = self._check_json(signal, body, entry) if as_json else self._check(signal, body)
        try:
            self.admission.admit(entry, checked.services)
            future = lane.spool.append(body, checked.data, checked.accepted) if checked.accepted else None
        except Refused:
            lane.refuse(checked)
            raise
        if future is not None:
            written = asyncio.wrap_future(future)
            written.add_done_callback(partial(lane.settle, checked))  # also when the client does not wait for it
            await asyncio.shield(written)
        return self._with_warning(signal, checked)

    def status(self) -> list[SignalStatus]:
        """Return what became of each signal's requests since the start."""
        breaker, now = self.breaker.status(time.monotonic()).state, time.time()
        return [
            lane.status(
                signal,
                refused_requests=self.admission.refused_requests(signal),
                shedding_level=self.admission.shedding_level(signal),
                breaker=breaker,
                now=now,
            )
            for signal, lane in self._lanes.items()
        ]

    def close(self, timeout_s: float) -> bool:
        """Seal, write out and stop, in at most about *timeout_s*. True when everything reached the database."""
        for lane in self._lanes.values():
            lane.spool.close()
        finished = [lane.writer.stop(timeout_s) for lane in self._lanes.values()]
        self.admission.sampler.stop()
        return all(finished) and not any(lane.spool.segments() for lane in self._lanes.values())

    def _with_warning(self, signal: str, checked: Checked) -> Checked:
        """Tell a client that its service has more names or series than are told apart; everything was stored."""
        warnings = [
            f"{service[:100]!r} sends too many different span names or routes: rollups count further ones as"
            f" __other__; put ids into attributes, not into names"
            for service in sorted(self.overflowing & checked.services)[:1]
        ]
        if signal == "metrics":
            warnings += [
                f"{service[:100]!r} sends too many metric series: new ones are stored as one series of each metric,"
                f" otel.metric.overflow; take ids out of its metrics' attributes"
                for service in sorted(self.overflowing_series & checked.services)[:1]
            ]
        if not warnings:
            return checked
        return replace(checked, message="; ".join(text for text in (checked.message, *warnings) if text))

    def _spool_fill(self, signal: str) -> float:
        lane = self._lanes.get(signal)
        return lane.spool.fill() if lane else min(lane.spool.fill() for lane in self._lanes.values())

    def _check(self, signal: str, body: bytes) -> Checked:
        return check(signal, body, item_limit=self._item_limit)

    def _check_json(self, signal: str, body: bytes, entry: Entry) -> Checked:
        """Check a JSON *body*: what is invalid in JSON already is left out and counted with the rest."""
        encoded = encode(signal, body)
        entry.take(len(encoded.data))
        checked = self._check(signal, encoded.data)
        message = "; ".join(text for text in (encoded.message, checked.message) if text)
        if encoded.rejected and not checked.accepted:
            raise BadPayload(f"nothing in the request can be stored: {message}")
        return replace(checked, rejected=checked.rejected + encoded.rejected, message=message)
