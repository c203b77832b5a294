"""A service whose versions serve by a plan, on a clock of its own, and the API that counts them."""

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from api.client import ApiClient
from api.models import LatencySample, ServedVersion, SliCount, Slo, WindowCounts
from chaos.releases.asking import STEP_S
from chaos.releases.judgement import Asked
from chaos.releases.waiting import judge_release

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
ASKED = Asked("shop", "1", "2", margin=0.05)


def at(minutes):
    return START + timedelta(minutes=minutes)


@dataclass
class Traffic:
    """Requests of *version* from one minute to another, *rate* a second; every *bad_every*th fails, 0 for none."""

    version: str
    start: float
    end: float
    rate: int = 2
    bad_every: int = 0
    ms: float = 10.0
    times: list = field(init=False)
    bad: list = field(init=False)

    def __post_init__(self):
        number = round((self.end - self.start) * 60 * self.rate)
        self.times = [at(self.start) + timedelta(seconds=each / self.rate) for each in range(number)]
        self.bad = [bool(self.bad_every) and each % self.bad_every == 0 for each in range(number)]

    def requests(self, start, end):
        wanted = slice(bisect_left(self.times, start), bisect_left(self.times, end))
        return list(zip(self.times[wanted], self.bad[wanted], strict=True))


class Api(ApiClient):
    def __init__(self, *traffic, now=30.0):
        self.traffic, self.now, self.objectives, self.filtered, self.asked = traffic, at(now), [], set(), 0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)

    def slos(self):
        return self.objectives

    def slo_details(self, slo_id):
        found = {"type": "SpanIndicator", "filter": "route = pay" if slo_id in self.filtered else None}
        return SimpleNamespace(definition={"indicator": found})

    def services(self, **_):
        return [SimpleNamespace(name="shop")]

    def sli(self, service, *, start, end, version=None, threshold_ms=None, **_):
        self.asked += 1
        sources = [each for each in self.traffic if each.version == version]
        found = [(bad, each.ms) for each in sources for _, bad in each.requests(start, min(end, self.now))]
        slow = sum(ms > threshold_ms for _, ms in found) if threshold_ms else 0
        p95_ms = sorted(ms for _, ms in found)[int(len(found) * 0.95)] if found else None
        return SliCount(
            service=service, environment="", total=len(found), errors=sum(bad for bad, _ in found), slow=slow,
            threshold_ms=threshold_ms, p50_ms=p95_ms, p95_ms=p95_ms, newest_span_at=None,
        )  # fmt: skip

    def latencies(self, service, **_):
        return LatencySample(total=0, durations_ms=[])

    def exemplars(self, service, **_):
        return ["ab" * 16]

    def versions(self, *, start, end, service="", step_s=None, **_):
        if service != "shop":
            return []
        steps = {}
        for each in self.traffic:
            for moment, bad in each.requests(start, min(end, self.now)):
                key = each.version, int(moment.timestamp()) // (step_s or 10**12)
                steps.setdefault(key, []).append((moment, bad))
        return [
            ServedVersion(
                service="shop", version=version, requests=len(found), errors=sum(bad for _, bad in found),
                first_at=min(found)[0], last_at=max(found)[0],
            )
            for (version, _), found in steps.items()
        ]  # fmt: skip

    def judge(self, asked=ASKED, *, wait_s=0.0, seen=None):
        looks = [] if seen is None else seen
        return judge_release(self, asked, clock=self.clock, sleep=self.sleep, wait_s=wait_s, on_look=looks.append)


def steps_of(*traffic, until=30.0):
    return Api(*traffic, now=until).versions(start=at(-1000), end=at(until), service="shop", step_s=STEP_S)


def slo(name, objective, threshold_ms=None, **more):
    counts = {"sli": None, "good": 0, "bad": 0, "total": 10_000, "error_budget_remaining": 0.5}
    fields = {
        "id": name, "service": "shop", "name": name, "objective": objective, "window": "30d", "environment": "",
        "draft": False, "kind": "availability" if threshold_ms is None else "latency", "threshold_ms": threshold_ms,
        "percentile_ms": None, "coverage": 1, "state": "ok", "provisional": False, "low_confidence": False,
        "burn_rates": {}, "hour": WindowCounts(window="1h", **counts), "policy": "", "source": "shop.yaml",
    }  # fmt: skip
    return Slo(**{**fields, **counts, **more})
