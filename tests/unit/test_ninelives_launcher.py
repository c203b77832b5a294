"""What can be run here, when it is due, and that one experiment goes at a time; no process is started."""

import logging
import os
import subprocess
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from api.context import LaunchError
from ninelives import launcher as module
from ninelives.launcher import Launcher
from ninelives.settings import PREFIX, load_settings

GOOD = """
title: Orders is late
environment: demo
hypothesis: [{service: gateway, sli: availability, margin: 0.01}]
method: [{latency_injection: {target: gateway-orders, latency_ms: 300}}]
"""
MINUTE = timedelta(minutes=1)


class Process:
    """A child that runs until it is told to end."""

    def __init__(self, command, **options):
        self.command, self.options, self.code = command, options, None

    def poll(self):
        return self.code

    def terminate(self):
        self.code = -15


@pytest.fixture
def started(monkeypatch):
    """The children that were started."""
    found = []

    def start(command, **options):
        found.append(Process(command, **options))
        return found[-1]

    monkeypatch.setattr(module, "subprocess", SimpleNamespace(Popen=start, DEVNULL=subprocess.DEVNULL))
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    return tmp_path / "experiments"


@pytest.fixture
def launcher(folder, started):
    settings = load_settings({"api": "127.0.0.1:1", "faults": "127.0.0.1:2", "data": "here"})
    return Launcher(settings, [folder], token="secret")


@pytest.fixture
def now(launcher):
    """A moment at which the launcher has looked for what is due."""
    found = datetime.now(UTC)
    launcher.run_due(found)
    return found


def write(folder, name, text=GOOD, schedule=""):
    (folder / f"{name}.yaml").write_text(text + (f'schedule: "{schedule}"\n' if schedule else ""), "utf-8")


def test_every_file_is_listed_and_one_that_cannot_be_read_says_why(launcher, folder):
    write(folder, "late", schedule="0 10 * * fri")
    write(folder, "broken", "title: t\n")
    write(folder, "off", schedule="0 10 * * 8")
    broken, late, off = launcher.experiments()
    assert (broken.name, broken.title) == ("broken", "")
    assert "hypothesis: this field is required" in broken.problem
    assert "not a cron line" in off.problem
    assert (late.name, late.title, late.environment, late.services) == ("late", "Orders is late", "demo", ["gateway"])
    assert late.problem == ""
    assert (late.next_run_at.isoweekday(), late.next_run_at.hour) == (5, 10)
    assert late.next_run_at > datetime.now(UTC)


def test_a_child_is_told_everything_and_its_token_is_on_no_command_line(launcher, folder, started):
    write(folder, "late")
    run_id = launcher.start("late", "alex")
    (child,) = started
    assert child.command[1:6] == ["-m", "ninelives", "chaos", "run", str(folder / "late.yaml")]
    told = dict(zip(child.command[6::2], child.command[7::2], strict=True))
    assert told == {"--run-id": run_id, "--api": "127.0.0.1:1", "--faults": "127.0.0.1:2", "--data": "here"}
    assert child.options["env"]["NINELIVES_TOKEN"] == "secret"
    assert "secret" not in " ".join(child.command)
    assert child.options["stdin"] == subprocess.DEVNULL
    assert run_id.startswith("late-")


def test_a_second_start_is_refused_until_the_first_run_is_over(launcher, folder, started):
    write(folder, "late")
    write(folder, "other")
    first = launcher.start("late", "")
    with pytest.raises(LaunchError, match=f"run {first} is still going on; one experiment at a time"):
        launcher.start("other", "")
    assert len(started) == 1
    started[0].code = 1
    assert launcher.start("other", "").startswith("other-")


def test_what_is_not_there_or_broken_cannot_be_checked_or_started(launcher, folder, started):
    write(folder, "broken", "title: t\n")
    with pytest.raises(LaunchError, match=r"there is no experiment 'late' \(known: broken\)"):
        launcher.start("late", "")
    with pytest.raises(LaunchError, match="hypothesis: this field is required"):
        launcher.preflight("broken")
    assert started == []


def test_what_is_due_is_started_once(launcher, folder, started, now):
    write(folder, "late", schedule="* * * * *")
    write(folder, "broken", "title: t\n")
    write(folder, "unscheduled")
    launcher.run_due(now + MINUTE)
    assert ["late.yaml" in child.command[5] for child in started] == [True]
    started[0].code = 0
    launcher.run_due(now + MINUTE)
    assert len(started) == 1
    launcher.run_due(now + 2 * MINUTE)
    assert len(started) == 2


def test_a_schedule_of_another_time_waits_for_it(launcher, folder, started, now):
    at = (now + timedelta(hours=2)).replace(second=0, microsecond=0)
    write(folder, "late", schedule=f"{at.minute} {at.hour} * * *")
    launcher.run_due(at - timedelta(seconds=1))
    assert started == []
    launcher.run_due(at + timedelta(seconds=14))
    assert len(started) == 1


def test_of_two_that_are_due_at_once_the_second_is_left_out_and_told(launcher, folder, started, now, caplog):
    write(folder, "a", schedule="* * * * *")
    write(folder, "b", schedule="* * * * *")
    with caplog.at_level(logging.WARNING):
        launcher.run_due(now + MINUTE)
    assert len(started) == 1
    assert "the scheduled run of b is left out: run a-" in caplog.text


def test_a_running_experiment_is_asked_to_end_and_nothing_else(launcher, folder, started):
    launcher.stop()
    write(folder, "late")
    launcher.start("late", "")
    launcher.stop()
    assert started[0].code == -15
    started[0].code = 0
    launcher.stop()
    assert started[0].code == 0, "it has ended; its process id may be another's by now"
