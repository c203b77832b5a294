"""The runner's decisions, on a clock of their own; the real daemon is in the integration tests."""

import time
from datetime import timedelta

import pytest

from api.models import RunState
from chaos.errors import FaultDaemonError
from chaos.experiments.experiment_file import parse_experiment
from chaos.runner.run_store import read_runs, write_run
from chaos.runner.runner import exit_code, run_experiment
from chaos.runner.stop import Stop
from chaos.wire import TargetList
from tests.unit.chaos_world import EXPERIMENT, START, Api, Clock, Faults, running_run


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def faults(clock):
    return Faults(clock)


@pytest.fixture
def api(clock, faults):
    return Api(clock, faults)


@pytest.fixture
def execute(clock, api, faults, tmp_path):
    def run(experiment=EXPERIMENT, **more):
        return run_experiment(experiment, api, faults, data_dir=tmp_path, clock=clock, sleep=clock.sleep, **more)

    return run


def seconds(window):
    return (window.ended_at - window.started_at).total_seconds()


def test_a_fault_beyond_the_margin_deviates(execute, api, tmp_path):
    """Availability holds, latency deviates, and the same final state is in the API and in the journal."""
    run = execute()
    assert (run.status, run.verdict, exit_code(run)) == ("finished", "deviated", 1)
    assert [(finding.sli, finding.verdict) for finding in run.findings] == [
        ("latency", "deviated"),
        ("availability", "held"),
    ]
    assert api.saved[-1] == run
    assert read_runs(tmp_path, now=run.ended_at) == [run]
    assert run.id.startswith("orders-late-20260101T000000Z-")
    assert "gateway latency 0 of 400 bad, back within the margin." in run.summary


def test_windows_are_as_long_as_asked_and_the_baseline_ends_before_the_fault(execute, faults):
    """Past traffic is the baseline, so the fault is injected at once, a second after the baseline's end."""
    run = execute()
    baseline, fault, recovery = run.windows
    assert [window.phase for window in run.windows] == ["baseline", "fault", "recovery"]
    assert (seconds(baseline), seconds(fault), seconds(recovery)) == pytest.approx((30, 30, 20))
    assert faults.injected_at == START == fault.started_at
    assert (fault.started_at - baseline.ended_at).total_seconds() == 1
    assert faults.ended_at == recovery.started_at
    assert (recovery.started_at - fault.ended_at).total_seconds() == 1


def test_without_a_clean_past_the_baseline_is_waited_for(execute, api, faults):
    """Five seconds of traffic are no baseline of thirty."""
    api.since = START - timedelta(seconds=4)
    run = execute()
    assert (faults.injected_at - START).total_seconds() == pytest.approx(31)
    assert run.windows[0].started_at >= START


def test_a_fault_that_ended_a_moment_ago_spoils_the_past_as_baseline(execute, faults):
    """The last experiment's damage is nobody's baseline."""
    faults.injected_at = START - timedelta(seconds=60)
    recent = faults.state("reverted", ended_at=START - timedelta(seconds=10), ended_by="request", verified=True)
    faults.known, faults.injected_at = [recent], None
    assert execute().windows[0].started_at >= START


def test_leases_are_renewed_every_other_second_and_at_least_every_third_of_them(execute, faults):
    """Two missed renewals are survived, a dead runner is not."""
    execute()
    gaps = [
        (b - a).total_seconds() for a, b in zip([faults.injected_at, *faults.renewals], faults.renewals, strict=False)
    ]
    assert len(gaps) >= 8
    assert max(gaps) <= 2 + 0.3


def test_a_fault_that_nobody_sees_is_not_injected(execute, api):
    """The injector's word is not proof."""
    api.slow = False
    run = execute()
    assert (run.verdict, exit_code(run)) == ("not_injected", 3)


def test_too_little_traffic_is_inconclusive(execute, api):
    """Two requests in thirty seconds decide nothing."""
    api.rate = 1 / 15
    run = execute()
    assert (run.status, run.verdict, exit_code(run)) == ("finished", "inconclusive", 3)


def test_a_stop_reverts_and_is_saved_as_aborted(execute, faults, clock, api):
    """What a signal does in the middle of the fault."""
    stop = Stop()

    def on_event(event):
        if event.step == "fault":
            stop.reason = "SIGTERM"

    run = execute(stop=stop, on_event=on_event)
    assert (run.status, run.verdict, exit_code(run)) == ("aborted", "aborted", 3)
    assert faults.ended_at is not None
    assert "SIGTERM" in run.summary
    assert api.saved[-1].status == "aborted"


def test_losing_the_api_reverts_and_keeps_the_result_locally(execute, faults, api, tmp_path):
    """Nothing can be counted any more, so nothing stays broken for longer than three heartbeats."""
    api.lost_at = START + timedelta(seconds=5)
    run = execute()
    assert (run.status, run.verdict) == ("aborted", "aborted")
    assert (faults.ended_at - START).total_seconds() < 20
    assert [each.id for each in read_runs(tmp_path, now=run.ended_at)] == [run.id]
    assert "API" in run.summary


def test_an_emergency_stop_aborts_the_run(execute, faults):
    """A fault that others ended is not judged."""
    faults.gone_at = START + timedelta(seconds=8)
    run = execute()
    assert (run.status, run.verdict) == ("aborted", "aborted")
    assert "emergency-stop" in run.summary


def test_a_revert_that_nobody_confirms_is_told(execute, faults):
    """The lease is then what ends the fault, and the run says so."""
    faults.revert_error = FaultDaemonError("cannot reach the fault daemon")
    run = execute()
    assert run.status == "aborted"
    assert "the lease of 10 s ends the fault" in run.summary


def refused_by_unknown_target(api, faults):
    faults.targets = lambda: TargetList(proxies=[], processes=[])


def refused_by_silence(api, faults):
    api.rate = 0


def refused_by_another_fault(api, faults):
    faults.injected_at = START
    faults.known = [faults.state("active")]
    faults.injected_at = None


def refused_by_a_lost_api(api, faults):
    api.lost_at = START


def refused_by_a_lost_daemon(api, faults):
    def targets():
        raise FaultDaemonError("cannot reach the fault daemon at http://127.0.0.1:8474")

    faults.targets = targets


def refused_by_another_run(api, faults):
    api.earlier = [running_run()]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (refused_by_unknown_target, "no proxy 'gateway-orders' (known: none)"),
        (refused_by_silence, "service gateway has had no request in the last 60 s"),
        (refused_by_another_fault, "one experiment at a time"),
        (refused_by_another_run, "run r is still going on"),
        (refused_by_a_lost_api, "cannot reach the API"),
        (refused_by_a_lost_daemon, "cannot reach the fault daemon"),
    ],
)
def test_preflight_refuses_with_a_reason_and_breaks_nothing(execute, api, faults, spoil, reason):
    """Status failed, exit code 4, no verdict, no fault."""
    spoil(api, faults)
    run = execute()
    assert (run.status, run.verdict, exit_code(run)) == ("failed", None, 4)
    assert reason in run.summary
    assert faults.injected_at is None


def test_killing_a_process_that_does_not_run_is_refused(execute, faults):
    """There is nothing to learn from killing the dead."""
    line = "{service: gateway, sli: availability, margin: 0.1}"
    text = f"{{title: t, hypothesis: [{line}], method: [{{service_failure: {{target: orders}}}}]}}"
    run = execute(parse_experiment(text, name="kill"))
    assert "process orders is not running" in run.summary
    assert faults.injected_at is None


def test_an_api_that_hangs_does_not_keep_the_lease_from_being_renewed(clock, api, faults, tmp_path):
    """Heartbeats to the API are waited for a sixth of the lease at most."""
    hanging = parse_experiment(
        "{title: t, hypothesis: [{service: gateway, sli: availability, margin: 0.1}], duration_s: 2, lease_s: 1,"
        " method: [{latency_injection: {target: gateway-orders, latency_ms: 300}}]}",
        name="hang",
    )
    api.save_run = lambda run: time.sleep(0.6) or RunState()
    began = time.monotonic()
    run = run_experiment(hanging, api, faults, data_dir=tmp_path, clock=clock, sleep=clock.sleep)
    assert run.status == "aborted"
    assert "API stopped answering" in run.summary
    assert time.monotonic() - began < 3


def test_a_run_whose_runner_died_reads_as_aborted(tmp_path):
    """The journal is synthesised: kill -9 leaves "running" behind, and 30 s later nobody believes it."""
    write_run(tmp_path, running_run())
    assert read_runs(tmp_path, now=START + timedelta(seconds=29))[0].status == "running"
    assert read_runs(tmp_path, now=START + timedelta(seconds=31))[0].status == "aborted"
