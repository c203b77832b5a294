"""Several runs of each side, and what they say together: medians, and how far the runs lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.engine import EngineRun
from benchmarks.side import Run

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """The runs of each side with the same load, taken in turn. What was not measured is empty.

    Attributes:
        peer: By the peer's setting.
        collector_us_per_span: Of the collector alone.
    """

    ours: list[Run] = field(default_factory=list)
    engine: list[EngineRun] = field(default_factory=list)
    peer: dict[str, list[Run]] = field(default_factory=dict)
    collector_us_per_span: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        """Return the medians: rates a second, times in ms, memory in MiB; lists hold every run."""
        found: dict[str, object] = {"spans": self.ours[0].sent.items, "runs": len(self.ours)}
        found |= _side("ours", self.ours)
        found |= {"busy_answers": sum(run.sent.busy for run in self.ours)}
        if self.engine:
            engine_rate = median(run.spans / run.cpu_s for run in self.engine)
            found |= {"engine_spans_per_cpu_s": round(engine_rate), "ratio_to_engine": _ratio(self.ours, engine_rate)}
        if self.collector_us_per_span:
            found["collector_us_per_span"] = round(median(self.collector_us_per_span), 2)
        return found | self._peer_figures()

    def _peer_figures(self) -> dict[str, object]:
        """Return the peer's figures; without a prefix of its setting they are those of its better setting."""
        if not self.peer:
            return {}
        rates = {setting: median(run.per_cpu_s for run in runs) for setting, runs in self.peer.items()}
        better = max(rates, key=lambda setting: rates[setting])
        found: dict[str, object] = {"peer_setting": better} | _side("peer", self.peer[better])
        for setting, rate in rates.items():
            found[f"peer_{setting}_spans_per_cpu_s"] = round(rate)
        found["ratio"] = _ratio(self.ours, rates[better])
        found["ratio_to_default"] = _ratio(self.ours, rates["default"])
        return found


def _side(name: str, runs: Sequence[Run]) -> dict[str, object]:
    return {
        f"{name}_spans_per_cpu_s": round(median(run.per_cpu_s for run in runs)),
        f"{name}_runs_spans_per_cpu_s": [round(run.per_cpu_s) for run in runs],
        f"{name}_cpu_s": round(median(run.cpu_s for run in runs), 2),
        f"{name}_accepted_spans_per_s": round(median(run.sent.items / run.sent.wall_s for run in runs)),
        f"{name}_p50_ms": round(median(run.sent.percentile_ms(0.50) for run in runs), 2),
        f"{name}_p99_ms": round(median(run.sent.percentile_ms(0.99) for run in runs), 2),
        f"{name}_late_s": round(max(run.sent.late_s for run in runs), 2),
        f"{name}_backlog_peak_spans": round(median(max(run.backlog, default=0) for run in runs)),
        f"{name}_drain_s": round(median(run.drain_s for run in runs), 2),
        f"{name}_rss_mb": round(median(run.rss_bytes for run in runs) / MIB),
        f"{name}_disk_bytes_per_span": round(median(run.disk_bytes / run.sent.items for run in runs), 1),
    }


def _ratio(ours: Sequence[Run], other_rate: float) -> float:
    return round(median(run.per_cpu_s for run in ours) / other_rate, 3)
