"""Verdicts of runs with known ratios: false ones, found ones, and whether the interval holds the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from api.models import Finding, Verdict
from chaos.experiments.experiment import AvailabilityHypothesis
from chaos.judge.decision import Arm
from chaos.judge.sighting import Sighting
from chaos.judge.verdict import find, run_verdict
from slo.confidence import difference_interval

SEEN = Sighting(seen=True, evidence="simulated")
SIZES = ((50, 50), (100, 100), (300, 300), (1000, 1000), (500, 5000), (5000, 500), (10_000, 100), (100, 10_000))
BASES = (0.0, 0.001, 0.01, 0.05, 0.3)
EFFECT = 0.05
HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class Case:
    """True ratios, requests an arm, and lines of which the first has the effect and the others have none."""

    control: float
    treatment: float
    sizes: tuple[int, int]
    margin: float
    lines: int = 1

    def __str__(self) -> str:
        ratios = f"{self.control:.1%} against {self.treatment:.1%}"
        return f"{ratios}, {self.sizes[0]} and {self.sizes[1]} requests, margin {self.margin:g}, {self.lines} lines"


def verdict_figures(runs: int) -> dict[str, float]:
    """Return the figures of `benchmarks.judge` that are about verdicts."""
    none = [Case(base, base, sizes, margin) for base, sizes, margin in product(BASES, SIZES, (0.0, 0.01))]
    none += [Case(base, base, (1000, 1000), 0.0, lines) for base, lines in product((0.01, 0.3), (2, 3, 5))]
    edges = [
        Case(base, base + margin + HAIR, sizes, margin)
        for base, sizes, margin in product(BASES, SIZES, (0.01, 0.05))
        if sizes != (50, 50)
    ]
    found = [Case(base, base + EFFECT, (1000, 1000), 0.01, lines) for base, lines in product((0.001, 0.01), (1, 3))]
    found.append(Case(0.001, 0.001 + EFFECT, (1000, 1000), 0.001))
    return {
        "false_deviated": _worst("false_deviated", none, "deviated", runs, max),
        "power": _worst("power", found, "deviated", runs, min),
        "power_at_5_percent": _worst("power", [Case(0.05, 0.10, (1000, 1000), 0.01)], "deviated", runs, min),
        "coverage": _coverage(runs),
        "false_held": _worst("false_held", edges, "held", runs, max),
        **{f"uncorrected_{lines}_lines": _uncorrected(lines, runs) for lines in (3, 5)},
    }


def share(case: Case, verdict: Verdict, runs: int, seed: int) -> float:
    """Return how many of the *runs* of *case* had this *verdict*."""
    drawn = _draw(case, runs, seed)
    return sum(_verdict(case, tuple(map(tuple, run))) == verdict for run in drawn) / runs


def _worst(name: str, cases: Sequence[Case], verdict: Verdict, runs: int, worst: type[max] | type[min]) -> float:
    found = {case: share(case, verdict, runs, seed) for seed, case in enumerate(cases)}
    case = worst(found, key=found.__getitem__)
    print(f"{name}: {found[case]:.4f} at worst of {len(cases)} cases: {case}", flush=True)
    return found[case]


def _draw(case: Case, runs: int, seed: int) -> list[list[list[int]]]:
    """Return the bad requests of control and treatment, of every line of every run."""
    random = np.random.default_rng(seed)
    control = random.binomial(case.sizes[0], case.control, (runs, case.lines))
    treatment = random.binomial(case.sizes[1], case.control, (runs, case.lines))
    treatment[:, 0] = random.binomial(case.sizes[1], case.treatment, runs)
    drawn: list[list[list[int]]] = np.stack([control, treatment], axis=2).tolist()
    return drawn


def _verdict(case: Case, run: tuple[tuple[int, int], ...]) -> Verdict:
    findings = [_find(control, treatment, case.sizes, case.margin) for control, treatment in run]
    return run_verdict(findings, SEEN)


@lru_cache(maxsize=100_000)
def _find(control: int, treatment: int, sizes: tuple[int, int], margin: float) -> Finding:
    line = AvailabilityHypothesis(service="checkout", sli="availability", margin=margin)
    return find(line, Arm(control, sizes[0]), Arm(treatment, sizes[1]), min_samples=1)


def _uncorrected(lines: int, runs: int) -> float:
    case = Case(0.3, 0.3, (1000, 1000), 0.0, lines)
    drawn = _draw(case, runs, seed=lines)
    return sum(any(_find(*line, case.sizes, 0.0).verdict == "deviated" for line in run) for run in drawn) / runs


def _coverage(runs: int) -> float:
    cases = list(product((50, 100, 300, 1000), (0.001, 0.01, 0.05), (0.0, 0.01, 0.05, 0.2)))
    found = {case: _covered(*case, runs, seed) for seed, case in enumerate(cases)}
    worst = min(found, key=found.__getitem__)
    size, base, difference = worst
    print(
        f"coverage: {found[worst]:.4f} at worst: {size} requests an arm, {base:.1%}, {difference * 100:g} points more"
    )
    return found[worst]


def _covered(size: int, base: float, difference: float, runs: int, seed: int) -> float:
    random = np.random.default_rng(seed)
    control = random.binomial(size, base, runs)
    treatment = random.binomial(size, base + difference, runs)
    pairs, counts = np.unique(np.stack([control, treatment]), axis=1, return_counts=True)
    covered = 0
    for low, high, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
        interval = difference_interval(low, size, high, size)
        covered += count * (interval.low <= difference <= interval.high)
    return covered / runs
