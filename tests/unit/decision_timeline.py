"""Timelines of alerts: minutes of requests and policies in short words, run through the decisions of real ticks.

A series is "5x0 3x100 2x-": five good minutes, three in which 100 % of the 100 requests fail, two without requests.
An hour of good minutes lies before it. A policy is "breach 5m/1m page | for 2m", its parts as SLO files spell them;
"gone" is no objective. A schedule is "A1-7 B1-7, C9-12": each evaluator ticks after those minutes, and those of one
part of the list tick together; one in lower case reads the past before the others of the same minute store anything. A
new letter is an evaluator that starts. Transitions are "6 page firing", with the rule where it is no burn rate.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from alerts.budget_rules import EXHAUSTION_SCENARIO, ExhaustionSignal, budget_signals
from alerts.burn_rate import signals_of
from alerts.transition import Transition
from evaluator.alert_decisions import AlertDecisions
from slo.budget_policy import read_budget_alerts, read_budget_policy, read_exhaustion_alert
from slo.draft import drafts
from slo.duration import parse_duration
from slo.forecast import Past, Step, rolling_forecast
from slo.policy_text import read_policy
from slo.window import RollingWindow
from tests.unit.slo_history import MINUTE, START, History

BEFORE = 60
SLO = replace(drafts("shop", "prod")[0], id="shop", draft=False, target=Decimal("0.9"))


def happened(series, policy, *, schedule="", late: Mapping[int, str] | None = None, broken=()):
    """Return every stored transition, as words and as they are.

    *policy* may be one for each tick from which on it holds, *late* holds the series as it is known from a tick on, and
    at the ticks *broken* the objectives cannot be evaluated.
    """
    known = {0: series} | dict(late or {})
    policies = {0: policy} if isinstance(policy, str) else dict(policy)
    histories = {since: _history(text) for since, text in known.items()}
    log = _Log()
    evaluators: dict[str, _Evaluator] = {}
    for tick, names in _ticks(schedule or f"A1-{sum(count for count, _ in _phases(series))}"):
        world = _World(_at(histories, tick), _at(policies, tick), tick in broken)
        found = [evaluators.setdefault(name.upper(), _Evaluator(log)) for name in names]
        for name, evaluator in zip(names, found, strict=True):
            if name.islower():
                evaluator.store.read_early()
        for evaluator in found:
            evaluator.tick(tick, world)
    stored = [Transition.from_json(body) for batch in log.batches for body in batch]
    return ", ".join(map(_words, stored)), stored


class _Log:
    """What is stored, in the batches in which it came."""

    def __init__(self):
        self.batches: list[list[str]] = []


class _Store:
    """The store of one evaluator, as `evaluator.alert_store` is; two may have read the same past."""

    others_at = None

    def __init__(self, log):
        self._log, self._seen, self._latest, self._early = log, -1, {}, False

    def read_early(self):
        self.latest()
        self._early = True

    def latest(self):
        if not self._early and self._seen != len(self._log.batches):
            stored = [Transition.from_json(body) for batch in self._log.batches for body in batch]
            self._latest = {(item.rule, item.severity): item for item in stored}
            self._seen = len(self._log.batches)
        self._early = False
        return self._latest

    def append(self, transitions, _now):
        if self._seen != len(self._log.batches):
            self._seen = -1
            return False
        self._log.batches.append([item.to_json() for item in transitions])
        self._seen = -1
        return True


class _World:
    def __init__(self, history, policy, broken):
        self.history, self.slo, self.broken = history, _slo(policy), broken

    def signals(self, tick):
        if self.broken:
            raise RuntimeError("objectives cannot be evaluated")
        if self.slo is None:
            return []
        end, evaluation = START + tick * MINUTE, self.history.judge(self.slo, tick)
        found = [*signals_of(self.slo, evaluation), *budget_signals(self.slo, evaluation, end)]
        if self.slo.exhaustion_alert is not None:
            found.append(self._exhaustion(tick, evaluation, self.slo.exhaustion_alert))
        return found

    def _exhaustion(self, tick, evaluation, alert):
        end, first = START + tick * MINUTE, tick - self.slo.period // MINUTE
        steps = [Step(START + n * MINUTE, self.history.between(n, n + 1)) for n in range(first, tick)]
        past = Past(steps, MINUTE, end, START + first * MINUTE)
        (forecast,) = rolling_forecast(past, self.slo.target, self.slo.period, (EXHAUSTION_SCENARIO,))
        return ExhaustionSignal(self.slo, evaluation, end, alert, forecast, end)


class _Evaluator:
    """The decisions of ticks; implements the source of their signals as well."""

    def __init__(self, log):
        self.store, self._tick, self._world = _Store(log), 0, None
        self._decisions = AlertDecisions(self.store, [self])

    def tick(self, number, world):
        self._tick, self._world = number, world
        self._decisions.make(START + number * MINUTE)

    def signals(self, _now):
        return self._world.signals(self._tick)


def _phases(series):
    return [(int(count), share) for count, share in (phase.split("x") for phase in series.split())]


def _history(series):
    requests = [(100, 0)] * BEFORE
    for count, share in _phases(series):
        requests += [(0, 0) if share == "-" else (100 - int(share), int(share))] * count
    return History(requests, first=-BEFORE)


def _slo(policy):
    if policy == "gone":
        return None
    slo, windows = replace(SLO, window=RollingWindow(timedelta(days=30))), None
    for part in policy.split("|"):
        word, _, text = part.strip().partition(" ")
        if word in ("breach", "pairs"):
            windows = ("objective-breach" if word == "breach" else "burn-rate"), text
        elif word != "none":
            name, read = _FIELDS[word]
            slo = replace(slo, **{name: read(text)})
    name, text = windows or ("none", None)
    return replace(slo, policy=read_policy(name, text, slo.target, slo.period).policy)


_FIELDS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "target": ("target", Decimal),
    "window": ("window", lambda text: RollingWindow(parse_duration(text))),
    "for": ("alert_for", parse_duration),
    "keep": ("keep_firing_for", parse_duration),
    "budget": ("budget_alerts", read_budget_alerts),
    "actions": ("budget_policy", read_budget_policy),
    "exhaustion": ("exhaustion_alert", read_exhaustion_alert),
}


def _ticks(schedule):
    """Yield each tick and the names of those who run it."""
    for part in schedule.split(","):
        runs = re.findall(r"(\w)(\d+)-(\d+)", part)
        for tick in range(min(int(first) for _, first, _ in runs), max(int(last) for *_, last in runs) + 1):
            yield tick, [name for name, first, last in runs if int(first) <= tick <= int(last)]


def _at(values, tick):
    return values[max(since for since in values if since <= tick)]


def _words(item):
    minute, seconds = divmod(item.at - START, MINUTE)
    assert not seconds
    state = item.state if item.changes_state else "waits" if item.clear_since else "resumes"
    flapping = " flapping" if item.flapping and state == "firing" else ""
    rule = item.rule.removeprefix("shop").removeprefix("/")
    return " ".join(filter(None, (str(minute), rule, item.severity, state))) + flapping
