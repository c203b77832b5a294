"""The watch over running experiments: when it ends what it should not, and how soon it ends what it should."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt
from statistics import median

import numpy as np

from api.models import Comparison, Verdict
from benchmarks.judge_verdicts import SEEN
from chaos.experiments.experiment import AvailabilityHypothesis
from chaos.judge.decision import Arm
from chaos.judge.sequential import LEAST_WATCHED
from chaos.judge.verdict import find, run_verdict
from chaos.judge.watch import AbortCause, LineCounts, start_watch
from slo.confidence import difference_interval

SECONDS = 60
BASELINE_S = 30
MIN_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class Case:
    """True ratios and requests a second an arm. Several lines are independent, which is the worst for false alarms."""

    base: float
    control: float
    treatment: float
    rate: float
    margin: float
    comparison: Comparison = "concurrent"
    lines: int = 1

    def __str__(self) -> str:
        ratios = f"{self.base:.1%}, then {self.control:.1%} against {self.treatment:.1%}"
        return f"{ratios}, {self.rate:g}/s an arm, margin {self.margin:g}, {self.lines} lines, {self.comparison}"


INNOCENT = (
    *(Case(base, base, base, 20, 0.0) for base in (0.001, 0.01, 0.05, 0.3)),
    *(Case(base, base, base + 0.01, 20, 0.01) for base in (0.01, 0.3)),
    Case(0.05, 0.05, 0.10, 5, 0.05),
    Case(0.05, 0.05, 0.05, 2, 0.0),
    Case(0.05, 0.05, 0.05, 20, 0.0, lines=3),
    *(Case(base, base, base, 20, 0.0, "before/after") for base in (0.01, 0.3)),
    Case(0.01, 0.01, 0.02, 100, 0.01, "before/after"),
)
HARMFUL = Case(0.01, 0.01, 0.20, 10, 0.01)
INCIDENT = Case(0.01, 0.20, 0.20, 10, 0.01)
STILL = Case(0.3, 0.3, 0.3, 20, 0.0)
CALM = (STILL, Case(0.01, 0.01, 0.01, 20, 0.0), Case(0.3, 0.3, 0.3, 20, 0.0, lines=3))


def watch_figures(runs: int) -> dict[str, float]:
    """Return the figures of `benchmarks.judge` that are about the watch."""
    false = {case: _share(_ends(case, runs, seed)) for seed, case in enumerate(INNOCENT)}
    worst = max(false, key=false.__getitem__)
    print(f"false_abort: {false[worst]:.4f} at worst of {len(INNOCENT)} cases: {worst}", flush=True)
    delays = [look * HARMFUL.rate for cause, look in _ends(HARMFUL, runs, seed=100) if cause == "harm"]
    ended = _deviated_share(HARMFUL, runs, seed=100)
    watched = {case: _deviated_share(case, runs, seed=200 + seed) for seed, case in enumerate(CALM)}
    calm = max(watched, key=watched.__getitem__)
    print(f"watched_false_deviated: {watched[calm]:.4f} at worst of {len(CALM)} cases: {calm}", flush=True)
    mixture = [look * HARMFUL.rate for look in _first_looks(HARMFUL, runs, 100, _msprt) if look]
    incidents = [cause for cause, _ in _ends(INCIDENT, runs, seed=101)]
    return {
        "false_abort": false[worst],
        "watched_false_deviated": watched[calm],
        "abort_found": len(delays) / runs,
        "abort_deviated": ended,
        "abort_delay_requests": median(delays),
        "msprt_delay_requests": median(mixture),
        "peeking_false_abort": sum(map(bool, _first_looks(STILL, runs, 102, _interval))) / runs,
        "incident_found": incidents.count("incident") / runs,
    }


def _share(ends: list[tuple[AbortCause | None, int]]) -> float:
    return sum(cause is not None for cause, _ in ends) / len(ends)


def _ends(case: Case, runs: int, seed: int) -> list[tuple[AbortCause | None, int]]:
    """Return for each run why and at which look, counted from 1, it was ended."""
    random = np.random.default_rng(seed)
    lines = [_draw(case, runs, random) for _ in range(case.lines)]
    return [_watch(case, [line[run] for line in lines]) for run in range(runs)]


def _watch(case: Case, lines: list[list[LineCounts]]) -> tuple[AbortCause | None, int]:
    watch = start_watch([case.margin] * case.lines, comparison=case.comparison)
    for number, look in enumerate(zip(*lines, strict=True), start=1):
        watch = watch.look(look)
        if watch.cause:
            return watch.cause, number
    return None, SECONDS


def _deviated_share(case: Case, runs: int, seed: int) -> float:
    """Return how many runs deviated, whether the watch ended them or they came to their end."""
    random = np.random.default_rng(seed)
    lines = [_draw(case, runs, random) for _ in range(case.lines)]
    verdicts = [_verdict(case, [line[run] for line in lines]) for run in range(runs)]
    return verdicts.count("deviated") / runs


def _verdict(case: Case, lines: list[list[LineCounts]]) -> Verdict:
    cause, look = _watch(case, lines)
    hypothesis = AvailabilityHypothesis(service="checkout", sli="availability", margin=case.margin)
    least = LEAST_WATCHED if cause else MIN_SAMPLES
    counts = [line[look - 1] for line in lines]
    findings = [find(hypothesis, each.control, each.treatment, min_samples=least) for each in counts]
    return run_verdict(findings, SEEN, aborted=cause)


def _draw(case: Case, runs: int, random: np.random.Generator) -> list[list[LineCounts]]:
    """Return the counts of each run at each look."""
    baseline = random.poisson(case.rate * BASELINE_S, runs)
    control, treatment = random.poisson(case.rate, (2, runs, SECONDS))
    columns = [
        random.binomial(baseline, case.base)[:, None].repeat(SECONDS, 1),
        baseline[:, None].repeat(SECONDS, 1),
        random.binomial(treatment, case.treatment).cumsum(1),
        treatment.cumsum(1),
        random.binomial(control, case.control).cumsum(1),
        control.cumsum(1),
    ]
    counts = np.stack(columns, axis=2).reshape(runs, SECONDS, 3, 2).tolist()
    return [[LineCounts(*(Arm(*arm) for arm in look)) for look in run] for run in counts]


def _first_looks(case: Case, runs: int, seed: int, is_certain: Callable[[Arm, Arm, float], bool]) -> list[int | None]:
    """Return the first look of each run at which *is_certain*, counted from 1; None where it never is."""
    drawn = _draw(case, runs, np.random.default_rng(seed))
    return [_first(looks, case.margin, is_certain) for looks in drawn]


def _first(looks: list[LineCounts], margin: float, is_certain: Callable[[Arm, Arm, float], bool]) -> int | None:
    for number, counts in enumerate(looks, start=1):
        enough = min(counts.control.total, counts.treatment.total) >= LEAST_WATCHED
        if enough and is_certain(counts.control, counts.treatment, margin):
            return number
    return None


def _interval(control: Arm, treatment: Arm, margin: float) -> bool:
    return difference_interval(control.bad, control.total, treatment.bad, treatment.total).low > margin


def _msprt(control: Arm, treatment: Arm, margin: float) -> bool:
    """The normal mixture of Lindon et al., tau = 0.1, at the half of 5 % that the watch has for harm."""
    beyond = treatment.bad / treatment.total - control.bad / control.total - margin
    pooled = (treatment.bad + control.bad) / (treatment.total + control.total)
    variance = pooled * (1 - pooled) * (1 / treatment.total + 1 / control.total)
    if beyond <= 0 or not variance:
        return False
    wide = variance + 0.1**2
    return log(sqrt(variance / wide)) + 0.1**2 * beyond**2 / (2 * variance * wide) >= -log(0.025)
