"""A world for the runner's decisions: a clock of its own, an API that counts, a daemon that breaks nothing."""

from datetime import UTC, datetime, timedelta

from api.client import ApiClient, ApiError
from api.models import EdgeCount, LatencySample, Run, RunState, SliCount
from chaos.errors import FaultDaemonError
from chaos.experiments.experiment_file import parse_experiment
from chaos.fault_client import FaultClient
from chaos.wire import EmergencyStopState, FaultState, ProcessTarget, ProxyTarget, TargetList

START = datetime(2026, 1, 1, tzinfo=UTC)
EXPERIMENT = parse_experiment(
    """
title: Orders is late
hypothesis:
  - {service: gateway, sli: availability, margin: 0.02}
  - {service: gateway, sli: latency, threshold_ms: 250, margin: 0.05}
method:
  - latency_injection: {target: gateway-orders, latency_ms: 300}
safeguards: {abort: false}
""",
    name="orders-late",
)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)


class Api(ApiClient):
    """20 requests a second of one service; those under the fault are slow, if `slow` says so.

    Of split requests `slow_arms` says which arm is.
    """

    def __init__(self, clock, faults, *, slow=True, rate=20, since=START - timedelta(hours=1)):
        self.clock, self.faults, self.slow, self.rate, self.since = clock, faults, slow, rate, since
        self.slow_arms = (None, "treatment")
        self.saved, self.lost_at, self.stopped = [], None, ""
        self.earlier, self.objectives, self.firing, self.newest_at, self.called = [], [], [], None, []

    def _up(self):
        if self.lost_at is not None and self.clock() >= self.lost_at:
            raise ApiError("cannot reach the API")

    def _overlap(self, start, end, arm):
        if not self.slow or self.faults.injected_at is None or arm not in self.slow_arms:
            return 0.0
        fault_end = self.faults.ended_at or self.clock()
        return max(0.0, (min(end, fault_end) - max(start, self.faults.injected_at)).total_seconds())

    def runs(self, **_):
        self._up()
        return self.earlier

    def slos(self):
        self._up()
        return self.objectives

    def alerts(self, **_):
        self._up()
        return self.firing

    def save_run(self, run):
        self._up()
        self.saved.append(run)
        return RunState(stop_reason=self.stopped)

    def sli(self, service, *, start, end, arm=None, groups=None, threshold_ms=None, **_):
        self._up()
        seconds = max(0.0, (min(end, self.clock()) - max(start, self.since)).total_seconds())
        rate = self.rate if arm is None else self.rate * groups.share
        total = round(seconds * rate)
        slow = round(self._overlap(start, end, arm) * rate) if threshold_ms else 0
        newest = min(end, self.clock()) if total else None
        return SliCount(
            service=service, environment="", total=total, errors=0, slow=min(slow, total), threshold_ms=threshold_ms,
            p50_ms=None, p95_ms=None, newest_span_at=self.newest_at or newest,
        )  # fmt: skip

    def edge(self, client, server, *, start, end, arm=None, **_):
        self._up()
        late = 300.0 if self._overlap(start, end, arm) else 0.0
        return EdgeCount(client=client, server=server, calls=100, errors=0, p50_ms=5 + late, p95_ms=9 + late)

    def latencies(self, service, **_):
        return LatencySample(total=0, durations_ms=[])

    def propagation(self, **_):
        self._up()
        return self.called

    def cache_effects(self, **_):
        return []

    def exemplars(self, service, **_):
        return []

    def budget_effects(self, services, **_):
        return []

    def versions(self, **_):
        return []


class Faults(FaultClient):
    def __init__(self, clock):
        self.clock = clock
        self.injected_at = self.ended_at = None
        self.renewals, self.gone_at, self.revert_error = [], None, None
        self.known, self.lock = [], EmergencyStopState(locked=False)

    def targets(self):
        proxy = ProxyTarget(
            name="gateway-orders", listen="", upstream="", client="gateway", server="orders", protocol="http"
        )
        return TargetList(proxies=[proxy], processes=[ProcessTarget(name="orders", service="orders", running=False)])

    def faults(self):
        return self.known

    def emergency_stop_state(self):
        return self.lock

    def inject(self, request):
        self.request, self.injected_at = request, self.clock()
        return self.state("active")

    def renew(self, fault_id, lease_ms):
        if self.gone_at is not None and self.clock() >= self.gone_at:
            raise FaultDaemonError("fault f-1 has ended (by emergency-stop)", 409)
        self.renewals.append(self.clock())
        return self.state("active")

    def revert(self, fault_id):
        if self.revert_error:
            raise self.revert_error
        self.ended_at = self.ended_at or self.clock()
        return self.state("reverted", ended_at=self.ended_at, ended_by="request", verified=True)

    def state(self, phase, **more):
        return FaultState(
            id="f-1", kind="latency", target="gateway-orders", attributes={}, lease_ms=10_000, expires_in_ms=0,
            phase=phase, injected_at=self.injected_at, **more,
        )  # fmt: skip


def running_run():
    return Run(
        id="r", experiment="e", title="t", status="running", verdict=None, started_at=START, ended_at=None,
        heartbeat_at=START,
    )  # fmt: skip
