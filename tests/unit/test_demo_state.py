import json
import os

import pytest

from demo.errors import StateError
from demo.policy import FRAGILE, RESILIENT
from demo.state import MODES, State, StateWatcher, break_mode, configure, heal, parse_state, read_state


@pytest.fixture
def path(tmp_path):
    return tmp_path / "demo" / "state.json"


def test_a_missing_file_is_a_healthy_shop(path):
    watcher = StateWatcher(path)
    watcher.refresh()
    assert read_state(path) == State()
    assert not any(watcher.active(mode, now=0.0) for mode in MODES)


def test_a_mode_is_in_force_until_its_end_and_not_at_it(path):
    break_mode(path, "errors", until=120.0, now=0.0)
    watcher = StateWatcher(path)
    watcher.refresh()
    assert watcher.active("errors", now=119.9)
    assert not watcher.active("errors", now=120.0)
    assert not watcher.active("latency", now=1.0)


def test_modes_add_up_and_ended_ones_are_dropped(path):
    break_mode(path, "errors", until=10.0, now=0.0)
    break_mode(path, "cache", until=None, now=5.0)
    assert read_state(path).modes == {"errors": 10.0, "cache": None}
    break_mode(path, "latency", until=30.0, now=20.0)
    assert read_state(path).modes == {"cache": None, "latency": 30.0}


def test_heal_ends_every_mode_for_a_watcher_that_runs(path):
    break_mode(path, "cache", until=None, now=0.0)
    watcher = StateWatcher(path)
    watcher.refresh()
    assert watcher.active("cache", now=1e12)
    heal(path)
    watcher.refresh()
    assert not watcher.active("cache", now=1e12)


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(path):
    watcher = StateWatcher(path)
    break_mode(path, "errors", until=None, now=0.0)
    os.utime(path, ns=(1, 1))
    watcher.refresh()
    break_mode(path, "latency", until=None, now=0.0)
    os.utime(path, ns=(1, 1))
    watcher.refresh()
    assert watcher.active("latency", now=0.0)


def test_the_configuration_changes_for_a_watcher_that_runs_and_outlives_breaking_and_healing(path):
    watcher = StateWatcher(path)
    assert watcher.policy == FRAGILE
    break_mode(path, "errors", until=None, now=0.0)
    configure(path, "resilient")
    watcher.refresh()
    assert watcher.policy == RESILIENT
    assert watcher.active("errors", now=0.0)
    break_mode(path, "cache", until=None, now=0.0)
    heal(path)
    watcher.refresh()
    assert (watcher.policy, read_state(path)) == (RESILIENT, State({}, "resilient"))
    configure(path, "fragile")
    watcher.refresh()
    assert watcher.policy == FRAGILE


def test_an_unknown_mode_is_refused_with_the_allowed_ones(path):
    with pytest.raises(StateError, match="'fire': choose one of errors, latency, cache"):
        break_mode(path, "fire", until=None, now=0.0)
    assert not path.exists()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"errors": "soon"}', '{"errors": true}', '{"fire": null}', '{"configuration": "brittle"}']
)
def test_a_file_that_is_no_state_is_refused_with_the_remedy(text):
    with pytest.raises(StateError, match="heal"):
        parse_state(text)


def test_a_watcher_keeps_what_it_knows_when_the_file_is_damaged(path, caplog):
    break_mode(path, "errors", until=None, now=0.0)
    watcher = StateWatcher(path)
    watcher.refresh()
    path.write_text("{ damaged")
    watcher.refresh()
    assert watcher.active("errors", now=0.0)
    assert "was ignored" in caplog.text


def test_heal_replaces_a_damaged_file(path):
    path.parent.mkdir()
    path.write_text("{ damaged")
    heal(path)
    assert json.loads(path.read_text()) == {}


def test_no_temporary_file_is_left_behind(path):
    break_mode(path, "errors", until=None, now=0.0)
    heal(path)
    assert [found.name for found in path.parent.iterdir()] == ["state.json"]
