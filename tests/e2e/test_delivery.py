"""A storm of alerts to a receiver that fails, while the evaluator is killed: all arrive, some twice under one key."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack import Roles, wait_for

from benchmarks.alert_receiver import AlertReceiver
from benchmarks.alert_storm import send_bad_requests, write_objectives
from benchmarks.alerting import KILL_AT, measure

ALERTS = 60
TAKEN_OVER_S = 60 + 15 + 30  # after the last sign of life, at the next tick, and what the receiver's faults cost


def test_every_alert_arrives_through_faults_and_kill_9_and_duplicates_carry_the_same_key(tmp_path: Path):
    found = measure(tmp_path / "storm", ALERTS, fail_share=0.3, kill_at=KILL_AT, wait_s=240)
    assert (found.alerts, found.lost) == (ALERTS, 0)
    assert found.duplicates_without_key == 0
    assert found.failed_requests > 0
    assert found.kills == len(KILL_AT)


@pytest.fixture
def roles(tmp_path: Path) -> Iterator[Roles]:
    found = Roles(tmp_path)
    yield found
    found.end()


def test_what_an_evaluator_that_was_killed_left_another_one_sends_under_the_same_keys(
    roles: Roles, monkeypatch: pytest.MonkeyPatch
):
    write_objectives(roles.folder / "slos", ALERTS)
    roles.bridge.start()
    assert roles.command("migrate").returncode == 0
    with AlertReceiver(fail_share=1.0) as receiver:
        monkeypatch.setenv("NINELIVES_WEBHOOKS", receiver.url)
        roles.start_role("collector", f"{roles.url('collector-health')}/readyz")
        roles.start_role("evaluator", f"{roles.url('evaluator-health')}/readyz")
        send_bad_requests(f"{roles.url('otlp-http')}/v1/traces", ALERTS)
        wait_for(lambda: receiver.failed > 4, 150, f"the first messages:\n{roles.log}")
        roles.stop_role("evaluator", signal.SIGKILL)
        receiver.fail_share = 0.0
        roles.start_role("evaluator", f"{roles.url('evaluator-health')}/readyz")
        wait_for(lambda: len(receiver.delivered()) == ALERTS, TAKEN_OVER_S, f"all alerts:\n{roles.log}")
        assert receiver.duplicates >= 4
        assert receiver.duplicates_without_key == 0
