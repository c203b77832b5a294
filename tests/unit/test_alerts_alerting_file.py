"""The file of routes is read when it changes, and a broken one takes nothing away."""

import logging
import os

from alerts.alerting_file import AlertingFile
from alerts.config import default_config

HOOK = "http://127.0.0.1:9/hook"
GOOD = 'route: {receiver: team}\nreceivers: [{name: team, webhook_configs: [{url: "https://a.example"}]}]\n'


def write(path, text):
    """Write at once, as editors do; each write gives another modification time."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    write.clock += 1
    os.utime(draft, (write.clock, write.clock))
    draft.replace(path)


write.clock = 1_700_000_000


def test_without_a_file_the_webhooks_are_told_and_nothing_is_wrong(tmp_path):
    file = AlertingFile(tmp_path / "alerts.yaml", [HOOK])
    assert file.load() == default_config([HOOK])
    assert (file.problem, file.problems) == ("", ())


def test_a_file_that_is_asked_for_and_not_there_is_told(tmp_path, caplog):
    file = AlertingFile(tmp_path / "alerts.yaml", [HOOK], required=True)
    assert file.load() == default_config([HOOK])
    assert file.problem == f"{tmp_path}/alerts.yaml: error: the file cannot be read: No such file or directory"
    assert "no routes but those of NINELIVES_WEBHOOKS are in force" in caplog.text


def test_a_file_that_comes_later_is_read(tmp_path):
    path = tmp_path / "alerts.yaml"
    file = AlertingFile(path)
    assert list(file.load().channels_of) == []
    write(path, GOOD)
    assert list(file.load().channels_of) == ["team"]


def test_a_file_is_read_again_when_it_changes_and_only_then(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    path = tmp_path / "alerts.yaml"
    write(path, GOOD)
    file = AlertingFile(path)
    first = file.load()
    assert file.load() is first
    write(path, GOOD.replace("team", "crew"))
    assert list(file.load().channels_of) == ["crew"]
    assert caplog.text.count(f"read {path}") == 2


def test_a_file_that_breaks_leaves_the_last_good_one_in_force_and_is_told_once(tmp_path, caplog):
    path = tmp_path / "alerts.yaml"
    write(path, GOOD)
    file = AlertingFile(path, [HOOK])
    good = file.load()
    write(path, "route: {receiver: nobody, group_by: ['']}\n")
    assert file.load() is good
    assert file.load() is good
    assert file.problem.startswith(f"{path}:1: error: route.group_by[0]: '' is no label")
    assert caplog.text.count("the last good routes stay in force") == 1
    write(path, "route: {receiver: nobody}\nreceivers: []\nalertmanagers: [x]\nheartbeat: 5\n")
    file.load()
    assert file.problem.endswith("(and 1 more)")
    write(path, GOOD)
    assert file.load() == good
    assert file.problem == ""


def test_a_file_that_is_broken_at_the_start_leaves_the_webhooks(tmp_path, caplog):
    path = tmp_path / "alerts.yaml"
    path.write_bytes(b"\xff")
    file = AlertingFile(path, [HOOK])
    assert file.load() == default_config([HOOK])
    assert "the file cannot be read: it is not UTF-8" in file.problem
    assert "no routes but those of NINELIVES_WEBHOOKS are in force" in caplog.text


def test_a_file_that_vanishes_leaves_its_last_state_in_force(tmp_path):
    path = tmp_path / "alerts.yaml"
    write(path, GOOD)
    file = AlertingFile(path)
    good = file.load()
    path.unlink()
    assert file.load() is good
    assert "No such file" in file.problem


def test_a_missing_secret_is_told_and_the_file_is_used(tmp_path, caplog):
    path = tmp_path / "alerts.yaml"
    write(path, GOOD.replace('url: "https://a.example"', "url_file: nowhere"))
    file = AlertingFile(path)
    assert list(file.load().channels_of) == ["team"]
    assert file.problem == ""
    assert [problem.level for problem in file.problems] == ["warning"]
    assert f"url_file {tmp_path}/nowhere cannot be read" in caplog.text
