"""Experiments over the API: a launcher lists, checks and starts them; one run at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from api import models as m
from api import start_gate
from api.client import ApiClient, ApiError
from api.context import LaunchError
from storage.tokens import Token, Tokens, digest, write_tokens
from tests.integration.chaos_api import api_over

PREFLIGHT = m.Preflight(
    experiment="late", title="Late", environment="prod", services=["orders"], method=[], comparison="concurrent",
    share=0.3, duration_s=30, hypothesis=[], checks=[m.RunCheck(name="target", ok=True, detail="found")],
    affected=[], predicted=[], safeguards=[],
)  # fmt: skip


class Launcher:
    def __init__(self):
        self.started = []
        self.problem = ""
        self.meeting = None

    def experiments(self):
        return [
            m.Experiment(name="late", path="x/late.yaml"),
            m.Experiment(name="broken", path="b.yaml", problem="no title"),
        ]

    def preflight(self, name):
        self._refuse()
        return PREFLIGHT.model_copy(update={"experiment": name})

    def start(self, name, by):
        self._refuse()
        if self.meeting is not None:
            with suppress(threading.BrokenBarrierError):  # nobody comes
                self.meeting.wait(0.5)
        self.started.append((name, by))
        return f"run-{len(self.started)}"

    def _refuse(self):
        if self.problem:
            raise LaunchError(self.problem)


@pytest.fixture
def launcher():
    return Launcher()


@pytest.fixture
def api(database, launcher):
    with api_over(database, launcher=launcher) as found:
        yield found


def run(run_id, status="running", *, heartbeat=None):
    now = datetime.now(UTC)
    return m.Run(
        id=run_id, experiment="late", title="Late", status=status, verdict=None, started_at=now - timedelta(minutes=1),
        ended_at=None if status == "running" else now, heartbeat_at=heartbeat or now,
    )  # fmt: skip


def test_experiments_are_listed_shown_and_checked(api):
    assert [item.name for item in api.experiments()] == ["late", "broken"]
    assert api.experiment("broken").problem == "no title"
    assert api.preflight("late") == PREFLIGHT
    for ask in (api.experiment, api.preflight, api.start_run):
        with pytest.raises(ApiError, match="no experiment 'ghost'; GET /api/v1/experiments lists them") as refusal:
            ask("ghost")
        assert refusal.value.status == 404


def test_what_cannot_be_run_is_refused_with_the_reason(api, launcher):
    launcher.problem = "the fault daemon does not answer; is 'ninelives chaos daemon' running?"
    for ask in (api.preflight, api.start_run):
        with pytest.raises(ApiError, match="experiment 'broken' cannot be run: no title") as unreadable:
            ask("broken")
        with pytest.raises(ApiError, match="is 'ninelives chaos daemon' running") as refused:
            ask("late")
        assert (unreadable.value.status, refused.value.status) == (409, 409)
    launcher.problem = ""
    assert api.start_run("late").id == "run-1", "a start that failed blocks none"


def test_a_server_that_can_start_nothing_says_what_can(database):
    with api_over(database) as api:
        for ask in (
            api.experiments,
            lambda: api.preflight("x"),
            lambda: api.start_run("x"),
            lambda: api.experiment("x"),
        ):
            with pytest.raises(ApiError, match=r"up --demo.*--faults.*ninelives chaos run FILE") as refusal:
                ask()
            assert refusal.value.status == 409


def test_of_two_starts_at_once_the_second_is_refused_with_the_id_of_the_first(api, launcher):
    launcher.meeting = threading.Barrier(2)

    def start(_):
        try:
            return api.start_run("late").id
        except ApiError as error:
            return str(error)

    with ThreadPoolExecutor(4) as threads:
        found = sorted(threads.map(start, range(4)), key=len)
    assert (found[0], len(launcher.started)) == ("run-1", 1)
    assert all("run run-1 is still going on" in refusal for refusal in found[1:])


def test_nothing_is_started_while_a_run_goes_on_wherever_it_was_started(api, launcher):
    api.save_run(run("theirs"))
    with pytest.raises(ApiError, match=r"run theirs is still going on.*runs/theirs/stop") as refusal:
        api.start_run("late")
    assert (refusal.value.status, launcher.started) == (409, [])
    api.save_run(run("theirs", heartbeat=datetime.now(UTC) - timedelta(seconds=31)))
    assert api.start_run("late").id == "run-1", "a silent runner blocks nothing"
    api.save_run(run("run-1"))
    with pytest.raises(ApiError, match="run run-1"):
        api.start_run("late")
    api.save_run(run("run-1", "finished"))
    assert api.start_run("late").id == "run-2"


def test_a_start_whose_run_never_reports_blocks_for_no_longer_than_a_silent_runner(api, monkeypatch):
    api.start_run("late")
    with pytest.raises(ApiError, match="run run-1"):
        api.start_run("late")
    monkeypatch.setattr(start_gate, "SILENT_AFTER", timedelta(0))
    assert api.start_run("late").id == "run-2"


def test_only_who_may_operate_starts_and_the_launcher_learns_who_it_was(database, launcher, tmp_path):
    path = tmp_path / "tokens.yaml"
    names = {"operate": "pipeline", "read": "screen"}
    write_tokens(path, [Token(name, frozenset({scope}), digest(scope)) for scope, name in names.items()])
    with (
        api_over(database, launcher=launcher, tokens=Tokens(path)) as api,
        ApiClient(api.base_url, token="operate") as operator,
        ApiClient(api.base_url, token="read") as reader,
    ):
        assert reader.experiment("late").path == "x/late.yaml"
        for change in (reader.start_run, reader.preflight):
            with pytest.raises(ApiError, match="has no scope 'operate'"):
                change("late")
        operator.start_run("late")
    assert launcher.started == [("late", "pipeline")]
