"""What a Chaos Toolkit journal proves, by our words."""

from copy import deepcopy

import pytest

from chaos.toolkit.interpretation import interpret
from chaos.toolkit.journal import note
from tests.unit.chaos_journals import NEW, OLD, activity, checked, journal, ran, steady

SWALLOWED = "chaoslib.exceptions.InterruptExecution: SIGTERM signal received"
NO_DATA = {"module": "chaos.toolkit.probes"}


def experiment(**change):
    return {**deepcopy(NEW["experiment"]), **change}


def test_a_steady_state_that_was_met_under_and_after_the_faults_held():
    """The windows are before, during and after the method."""
    result = interpret(NEW)
    assert (result.verdict, result.ran) == ("held", True)
    assert [(each.phase, each.started_at.second, each.ended_at.second) for each in result.windows] == [
        ("baseline", 0, 10), ("fault", 10, 40), ("recovery", 40, 50)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        ({"steady_states": steady(checked(met=False)), "run": []}, "inconclusive", "nothing was broken: before"),
        ({"deviated": True, "steady_states": steady(checked(), checked(met=False))}, "deviated", "out of its tol"),
        ({"steady_states": steady(checked(), checked(), [checked(met=False)])}, "deviated", "'is up' was out of"),
        ({"run": [ran("action", "stop cache", "failed")]}, "not_injected", "'stop cache' failed"),
        ({"run": [ran("probe", "look")]}, "not_injected", "no action"),
        ({"run": []}, "not_injected", "no action"),
        ({"steady_states": steady(checked())}, "inconclusive", "not checked under or after"),
        ({"status": "interrupted"}, "aborted", "the run was interrupted"),
        ({"status": "aborted"}, "aborted", "the run was aborted"),
        ({"status": None}, "aborted", "no status of a finished run (got None)"),
        ({"run": [ran("action", "a", "failed", exception=SWALLOWED)]}, "aborted", "swallowed"),
        ({"run": [ran("action", "a"), ran("probe", "p", output=500, tolerance=200)]}, "deviated", "'p' was out of"),
        ({"run": [ran("action", "a"), ran("probe", "p", output={"status": 200}, tolerance=200)]}, "held", "met in 1"),
        ({"run": [ran("action", "a"), ran("probe", "p", "failed", tolerance=200)]}, "inconclusive", "not checked"),
        ({"rollbacks": []}, "inconclusive", "0 of 1 rollbacks"),
        ({"rollbacks": [ran("action", "start cache", "failed")]}, "inconclusive", "'start cache' failed"),
        ({"experiment": experiment(dry="actions")}, "inconclusive", "dry run (actions)"),
        ({"deviated": True}, "deviated", "the journal says"),
    ],
)
def test_nothing_proven_is_never_held(change, verdict, reason):
    result = interpret(journal(**change))
    assert result.verdict == verdict
    assert reason in result.reason


def test_a_probe_of_ours_without_data_proves_nothing():
    """Chaos Toolkit calls any probe that fails a deviation."""
    blind = checked(met=False, status="failed", provider=NO_DATA, exception="no request in the last 30 s")
    result = interpret(journal(deviated=True, status="failed", steady_states=steady(checked(), blind)))
    assert result.verdict == "inconclusive"
    assert "no request in the last 30 s" in result.reason


def test_a_probe_of_others_that_fails_is_a_deviation():
    """Mostly it is a service that does not answer."""
    down = checked(met=False, status="failed", exception="failed to connect")
    result = interpret(journal(deviated=True, status="failed", steady_states=steady(checked(), down)))
    assert result.verdict == "deviated"


def test_a_deviation_under_faults_that_were_not_injected_is_not_blamed_on_them():
    """If one of several was, it may be."""
    bad = steady(checked(), checked(met=False))
    failed, done = ran("action", "a", "failed"), ran("action", "b")
    assert interpret(journal(steady_states=bad, run=[failed])).verdict == "not_injected"
    assert interpret(journal(steady_states=bad, run=[failed, done])).verdict == "deviated"


def test_a_guard_that_died_takes_the_certainty_and_not_the_bad_news():
    """Held becomes inconclusive; deviated stays, with the remark."""
    assert interpret(note(NEW, problems=["guard: TypeError"])).verdict == "inconclusive"
    bad = note(journal(steady_states=steady(checked(), checked(met=False))), problems=["guard: TypeError"])
    assert interpret(bad).verdict == "deviated"
    assert "guard: TypeError" in interpret(bad).reason


@pytest.mark.parametrize(
    "tolerance",
    [
        {"type": "probe", "name": "t", "provider": {"type": "process", "path": "/bin/false"}},
        {"type": "regex", "pattern": "(a+)+$"},
        {"type": "jsonpath", "path": "$..*..*"},
    ],
)
def test_the_tolerances_of_other_peoples_journals_run_nothing(tolerance):
    """Neither their commands nor their expressions."""
    run = [
        ran("action", "a"),
        ran("probe", "p", output="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", tolerance=tolerance),
    ]
    result = interpret(journal(run=run), trusted=False)
    assert (result.verdict, "'p' in the method was not checked" in result.reason) == ("inconclusive", True)


def test_journals_of_2020_are_read():
    """No zone in the times, no checks during the method."""
    result = interpret(OLD)
    assert result.verdict == "deviated"
    assert result.windows[0].started_at.isoformat() == "2020-06-05T09:13:58.085110+00:00"


def test_an_interrupted_activity_has_no_status():
    """It is an action that did not end well."""
    run = ran("action", "a")
    del run["status"]
    assert interpret(journal(run=[run])).verdict == "not_injected"
    assert interpret(journal(run=[run], status="interrupted")).verdict == "aborted"


@pytest.mark.parametrize(
    "broken", [{}, {"run": "x", "steady_states": [], "rollbacks": 3, "experiment": None}, {"run": [1, {}]}]
)
def test_a_damaged_journal_is_never_held(broken):
    """And raises nothing."""
    assert interpret({"status": "completed", **broken}).verdict in {"inconclusive", "not_injected", "aborted"}


def test_a_note_leaves_the_journal_and_other_extensions_alone():
    """Ours is one of several, and notes add up."""
    before = journal(experiment=experiment(extensions=[{"name": "theirs"}], method=[activity("action", "a")]))
    kept = deepcopy(before)
    after = note(note(before, problems=["a"]), problems=["b"], reason="r")
    assert before == kept
    assert after["experiment"]["extensions"] == [
        {"name": "theirs"}, {"name": "ninelives", "run": {"problems": ["a", "b"], "reason": "r"}}
    ]  # fmt: skip
