"""A test that may be looked at all the time: is the treatment worse by more than the margin, beyond doubt? Pure.

An interval for a fixed number of requests, looked at every second, raises a false alarm sooner or later. This test bets
instead. Before each look it says from the earlier counts what it expects, against the likeliest way in which the
treatment is within the margin; its capital, the e-value, multiplies with what the look then brings. As long as the
treatment is within the margin the capital does not grow in expectation, so that it ever reaches 1 / alpha has at most
the probability alpha, for any number of looks (Ville 1939; Turner, Ly and Grünwald 2024, Journal of Statistical
Planning and Inference 230, theorem 1: the likeliest way is the one nearest in Kullback-Leibler divergence).

Why not the mixture sequential probability ratio test: it treats the counts as normal, needs to be told the size of the
effect, and is slower where errors are rare; `python -m benchmarks.judge` compares them. This one is exact for any rate.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, log
from typing import Literal

from api.models import Comparison
from chaos.judge.decision import NO_REQUESTS, Arm
from slo.confidence import StatisticError

ALPHA = 0.05
LEAST_WATCHED = 30
_BASELINE_PART = 0.1
_SMALLEST = 1e-12
_HALVINGS = 40
_LARGEST_EXPONENT = 700.0


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """The state between two looks. `alpha`: the chance that it ever says abort though the margin is kept.

    With "before/after" the control is a finished baseline, the same at each look; `worst` is then the highest ratio
    that may still be within the margin, and a tenth of `alpha` the risk that the baseline was too lucky for that.

    >>> test = SequentialTest(margin=0.01)
    >>> for second in range(1, 9):
    ...     test = test.look(Arm(0, 10 * second), Arm(4 * second, 10 * second))
    >>> test.decision, test.e_value > 20
    ('abort', True)
    """

    margin: float
    comparison: Comparison = "concurrent"
    alpha: float = ALPHA
    least: int = LEAST_WATCHED
    control: Arm = NO_REQUESTS
    treatment: Arm = NO_REQUESTS
    log_e: float = 0.0
    aborted: bool = False
    worst: float | None = None

    def look(self, control: Arm, treatment: Arm) -> "SequentialTest":
        """Return the state after a look.

        Args:
            control: its requests since the fault began, or the whole baseline, the same at each look.
            treatment: its requests since the fault began.

        Raises:
            StatisticError: counts went back, or more requests are bad than there are; or the baseline changed.
        """
        control_news, treatment_news = _news(self.control, control), _news(self.treatment, treatment)
        worst = self.worst
        if self.comparison == "concurrent":
            gain = _gain(self.control, self.treatment, control_news, treatment_news, self.margin)
        else:
            if worst is None:
                worst = _upper_bound(control, self.alpha * _BASELINE_PART) + self.margin
            elif control_news.total:
                raise StatisticError(f"the baseline grew by {control_news.total} requests; it is the same at each look")
            gain = _gain_over(worst, self.treatment, treatment_news)
        log_e = self.log_e + gain
        enough = min(control.total, treatment.total) >= self.least
        aborted = self.aborted or (enough and log_e >= self.log_threshold)
        return replace(self, control=control, treatment=treatment, log_e=log_e, aborted=aborted, worst=worst)

    @property
    def decision(self) -> Literal["continue", "abort"]:
        """Abort stays abort: the first time is what the promise is about."""
        return "abort" if self.aborted else "continue"

    @property
    def e_value(self) -> float:
        """How many times its stake the bet is worth: 20 or more ever comes in one run of 20 where nothing is wrong."""
        return exp(min(self.log_e, _LARGEST_EXPONENT))

    @property
    def log_threshold(self) -> float:
        spent = 0.0 if self.comparison == "concurrent" else _BASELINE_PART
        return -log(self.alpha * (1 - spent))


def _news(before: Arm, now: Arm) -> Arm:
    news = Arm(now.bad - before.bad, now.total - before.total)
    if not 0 <= news.bad <= news.total:
        raise StatisticError(
            f"{now.bad} bad of {now.total} cannot follow {before.bad} of {before.total}; "
            "feed all that was counted since the fault began"
        )
    return news


def _gain(control: Arm, treatment: Arm, control_news: Arm, treatment_news: Arm, margin: float) -> float:
    """Return the logarithm by which the capital grows.

    The control is expected to go on as it was, but not at 0 or 1, which one request would refute (Krichevsky and
    Trofimov 1981). So is the treatment, beginning at the margin: what does not look worse than that stakes nothing.
    """
    control_bet = (control.bad + 0.5) / (control.total + 1)
    treatment_bet = _expected(treatment, control_bet + margin)
    if treatment_bet <= control_bet + margin or control_bet + margin >= 1:
        return 0.0
    sizes = control_news.total, treatment_news.total

    def slope(ratio: float) -> float:
        return sizes[0] * _pull(control_bet, ratio) + sizes[1] * _pull(treatment_bet, ratio + margin)

    nearest = _zero(slope, control_bet, treatment_bet - margin)
    return _log_ratio(control_news, control_bet, nearest) + _log_ratio(treatment_news, treatment_bet, nearest + margin)


def _gain_over(worst: float, treatment: Arm, news: Arm) -> float:
    bet = _expected(treatment, worst)
    return _log_ratio(news, bet, worst) if worst < min(bet, 1) else 0.0


def _expected(arm: Arm, beginning: float) -> float:
    return (arm.bad + beginning) / (arm.total + 1)


def _pull(bet: float, ratio: float) -> float:
    """Return the slope of the divergence of *ratio* from *bet*, for one request."""
    return (ratio - bet) / (ratio * (1 - ratio))


def _log_ratio(news: Arm, bet: float, ratio: float) -> float:
    return news.bad * log(bet / ratio) + (news.total - news.bad) * log((1 - bet) / (1 - ratio))


def _upper_bound(arm: Arm, risk: float) -> float:
    """Return a ratio that the true one exceeds with at most the probability *risk* (Chernoff 1952)."""
    if arm.total == 0:
        return 1.0

    def excess(ratio: float) -> float:
        good = arm.total - arm.bad
        kept = (arm.bad * log(arm.bad / arm.total / ratio) if arm.bad else 0.0) + (
            good * log(good / arm.total / (1 - ratio)) if good else 0.0
        )
        return kept + log(risk)

    return _zero(excess, max(arm.bad / arm.total, _SMALLEST), 1 - _SMALLEST)


def _zero(rising: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
