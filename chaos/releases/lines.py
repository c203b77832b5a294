"""What a release is judged by: the objectives of its service, or the old version itself where there are none. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.models import Slo
from chaos.experiments.hypotheses import AvailabilityHypothesis, Judged, LatencyHypothesis, SloHypothesis

DEFAULT_MARGIN: Final = 0.01
DEFAULT_LATENCY_MARGIN: Final = 0.05


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and the objectives that stand behind it; several with one threshold are one line."""

    hypothesis: Judged
    slos: tuple[Slo, ...] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


def lines_of(slos: Iterable[Slo], *, margin: float | None = None) -> tuple[Line, ...]:
    """Return a line for each thing that *slos* promise of requests; the strictest margin counts where they differ.

    Args:
        slos: objectives of one service; those of other kinds than availability and latency are left out.
        margin: takes the place of 1 - objective.
    """
    found: dict[float | None, list[tuple[Judged, Slo]]] = {}
    for slo in slos:
        if slo.kind == "availability" or (slo.kind == "latency" and slo.threshold_ms is not None):
            line = SloHypothesis(slo=slo.id, margin=margin).resolved(slo)
            found.setdefault(line.threshold_ms, []).append((line, slo))
    return tuple(
        Line(min((line for line, _ in same), key=lambda line: line.margin), tuple(slo for _, slo in same))
        for same in found.values()
    )


def default_lines(service: str, old_version: str, old_p95_ms: float | None, *, margin: float | None = None) -> Lines:
    """Return the lines of a service without objectives, and in words what they are.

    The threshold is the p95 of the old version, before the new one came: 5 % are slower than that anyway.
    """
    if margin is None:
        margin, latency_margin = DEFAULT_MARGIN, DEFAULT_LATENCY_MARGIN
    else:
        latency_margin = margin
    lines = [Line(AvailabilityHypothesis(service=service, sli="availability", margin=margin))]
    told = f"{service} has no objective that can be compared: at most {margin * 100:g} points more failed requests"
    if old_p95_ms:
        threshold_ms = float(f"{old_p95_ms:.3g}")
        lines.append(
            Line(
                LatencyHypothesis(service=service, sli="latency", threshold_ms=threshold_ms, margin=latency_margin),
            )
        )
        told += (
            f", and at most {latency_margin * 100:g} points more over {threshold_ms:g} ms, the p95 of {old_version},"
            " are asked for"
        )
    else:
        told += " are asked for"
    return Lines(tuple(lines), (told,))


def counts_every_request(definition: Mapping[str, Any]) -> bool:
    """Whether an objective's `SloDetails.definition` is about all requests of its service, as versions are counted."""
    indicator = definition.get("indicator") or {}
    return indicator.get("type") == "SpanIndicator" and indicator.get("filter") is None


def passed_over(slos: Sequence[Slo]) -> tuple[str, ...]:
    """Return in words which objectives say nothing of versions."""
    if not slos:
        return ()
    names = ", ".join(slo.id for slo in slos)
    return (f"left out: {names}; versions are compared by failed and slow requests of the whole service",)
