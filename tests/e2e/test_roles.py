"""The roles apart, each a process of its own before a ClickHouse server that goes away and comes back."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from otlp_sender import HEADERS, Sender, request_of
from stack import Roles, get_status, wait_for

READY_WITHIN_S = 2.0  # of CPU: how long the others keep the machine busy is not theirs


@pytest.fixture
def roles(tmp_path: Path) -> Iterator[Roles]:
    found = Roles(tmp_path)
    yield found
    found.end()


def send(roles: Roles, count: int, *, ago_s: int = 0) -> int:
    body, _ = request_of(count, "checkout", ago_s=ago_s)
    url = f"{roles.url('otlp-http')}/v1/traces"
    return httpx.post(url, content=body, headers=HEADERS, trust_env=False).status_code


def start_collector(roles: Roles) -> float:
    return roles.start_role("collector", f"{roles.url('collector-health')}/readyz")


def test_together_they_do_what_up_does(roles: Roles):
    roles.bridge.start()
    assert roles.command("migrate").returncode == 0
    took = {"collector": start_collector(roles)}
    assert send(roles, 40, ago_s=180) == 200
    wait_for(lambda: roles.stored() == (40, 40), 10, "the spans")  # the evaluator's first tick will find them
    took["evaluator"] = roles.start_role("evaluator", f"{roles.url('evaluator-health')}/readyz")
    took["api"] = roles.start_role("api", f"{roles.url('api')}/readyz")
    took["dashboard"] = roles.start_role("dashboard", f"{roles.url('dashboard')}/_stcore/health")
    assert max(took.values()) < READY_WITHIN_S, took
    with roles.api() as api:
        assert api.status().spans_stored == 40
        drafts = wait_for(lambda: [slo for slo in api.slos() if slo.total == 40], 30, "both drafts to count them")
    assert {(slo.service, slo.draft) for slo in drafts} == {("checkout", True)}
    assert get_status(roles.url("dashboard")) == 200
    metrics = httpx.get(f"{roles.url('evaluator-health')}/metrics", trust_env=False).text
    assert 'ninelives_slo_objective_ratio{environment="",service="checkout"' in metrics
    roles.bridge.fault(delay_s=60)  # a database that hangs keeps none of them from stopping
    assert send(roles, 1) == 200
    for role in ("dashboard", "api", "evaluator", "collector"):
        assert roles.stop_role(role) == 0, roles.log


def test_a_collector_acknowledges_while_the_database_is_down_and_stores_everything_once_when_it_is_back(roles: Roles):
    roles.bridge.start()
    assert roles.command("migrate").returncode == 0
    start_collector(roles)
    sender = Sender(roles.url("otlp-http"), threads=1, spans=100)
    sender.start()
    time.sleep(1.5)
    roles.bridge.kill()
    before = len(sender.acknowledged)
    time.sleep(3)
    during = len(sender.acknowledged)
    assert get_status(f"{roles.url('collector-health')}/readyz") == 200
    roles.bridge.start()
    roles.bridge.fault(only="insert into otlp", cut=True)  # done, but the collector does not hear of it
    time.sleep(1.5)
    roles.bridge.heal()
    sender.stop()
    wait_for(lambda: roles.waiting_bytes() == 0, 30, f"the spool to be written:\n{roles.log}")
    assert during > before + 1000
    assert not sender.refused | sender.unanswered
    assert roles.stored() == (len(sender.acknowledged),) * 2
    assert roles.stop_role("collector") == 0


def test_a_collector_starts_before_its_database_and_waits_with_what_it_took_for_the_tables(roles: Roles):
    start_collector(roles)
    assert send(roles, 10) == 200
    roles.bridge.start()
    roles.ask("CREATE DATABASE apart", "default")
    wait_for(lambda: "run 'ninelives migrate'" in roles.log, 10, "the collector to say what is missing")
    assert roles.waiting_bytes() > 0
    assert roles.command("migrate").returncode == 0
    wait_for(lambda: roles.waiting_bytes() == 0, 15, f"the spool to be written:\n{roles.log}")
    assert roles.stored() == (10, 10)


def test_kill_9_of_a_collector_loses_nothing_that_it_acknowledged(roles: Roles):
    roles.bridge.start()
    assert roles.command("migrate").returncode == 0
    start_collector(roles)
    roles.bridge.fault(only="insert into otlp", delay_s=0.5)
    sender = Sender(roles.url("otlp-http"), threads=1, spans=100)
    sender.start()
    time.sleep(2)
    roles.stop_role("collector", signal.SIGKILL)
    sender.stop()
    roles.bridge.heal()
    start_collector(roles)
    wait_for(lambda: roles.waiting_bytes() == 0, 15, f"the spool to be written:\n{roles.log}")
    rows, distinct = roles.stored()
    assert rows == distinct
    assert 0 < len(sender.acknowledged) <= rows <= len(sender.acknowledged) + len(sender.unanswered)


def test_migrate_shows_what_it_would_do_and_does_it_once(roles: Roles):
    roles.bridge.start()
    planned = roles.command("migrate", "--dry-run", "--json")
    assert planned.returncode == 0
    steps = json.loads(planned.stdout)
    assert steps[0]["sql"].startswith(("--", "CREATE"))
    assert "apart" not in roles.ask("SHOW DATABASES", "default").split(), "a dry run changes nothing"
    applied = roles.command("migrate", "--json")
    assert [step["name"] for step in json.loads(applied.stdout)] == [step["name"] for step in steps]
    assert roles.command("migrate").stdout == "0 applied\n"


def test_a_wrong_password_is_one_line(roles: Roles):
    roles.bridge.start()
    refused = roles.command("migrate", "--clickhouse", f"http://ninelives:wrong@127.0.0.1:{roles.bridge.port}/apart")
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert "Authentication failed" in line
    assert "wrong" not in line.replace("password is incorrect", "")
