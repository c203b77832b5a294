"""Other people's experiments in a process of their own."""

import os
import signal
import time

import pytest

from chaos.errors import ExperimentError
from chaos.toolkit.engine import check_document, run_document
from chaos.toolkit.interpretation import interpret
from chaos.toolkit.journal import noted
from tests.integration.chaos_documents import action, document, hypothesis, probe

pytestmark = pytest.mark.slow  # a process a run


def test_every_step_is_told_while_it_happens(tmp_path):
    """In the order of the library's events, with times."""
    events = []
    made = document([action("yes", "break"), probe("number", value=3)], [action("yes", "mend")])
    journal = run_document(made, folder=tmp_path, on_event=events.append)
    names = [event.name for event in events]
    assert names[0] == "started"
    steps = ["hypothesis_before_completed", "start_method", "method_completed", "start_rollbacks", "journal"]
    assert [name for name in names if name in steps] == steps
    assert "break: succeeded" in [event.message for event in events]
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert (journal["status"], [each["output"] for each in journal["run"]]) == ("completed", [True, 3])


def test_what_activities_print_is_in_the_runs_folder_and_on_no_console(tmp_path, capfd):
    """Beside the library's own log."""
    made = document(
        [{"type": "action", "name": "say", "provider": {"type": "process", "path": "echo", "arguments": "hi"}}]
    )
    journal = run_document(made, folder=tmp_path)
    assert journal["run"][0]["output"]["stdout"] == "hi\n"
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "experiment.log").exists()


def test_a_background_activity_that_outlives_the_method_is_not_taken_for_a_hang(tmp_path):
    """Only activities in the foreground have a default limit."""
    made = document([{**action("nap", seconds=1.2), "background": True}, action("yes")])
    journal = run_document(made, folder=tmp_path, activity_timeout_s=0.5)
    assert (journal["status"], interpret(journal).verdict) == ("completed", "held")


def test_the_whole_run_may_take_so_long_and_no_longer(tmp_path):
    """Many short activities are as long as one that hangs."""
    made = document([action("nap", str(each), seconds=1) for each in range(60)], [action("yes", "mend")])
    began = time.monotonic()
    journal = run_document(made, folder=tmp_path, timeout_s=4)
    assert time.monotonic() - began < 20
    assert (interpret(journal).verdict, noted(journal)["reason"]) == ("aborted", "the run took longer than it may")
    assert [each["status"] for each in journal["rollbacks"]] == ["succeeded"]


def test_a_stop_while_rollbacks_run_lets_them_finish(tmp_path):
    """Half a rollback is worse than a late one."""
    mark = tmp_path / "rolling"
    made = document([action("yes")], [action("write_and_nap", path=str(mark), seconds=1), action("yes", "second")])
    asked = []

    def stop():
        asked.append(mark.exists())
        return "stopped" if mark.exists() else ""

    journal = run_document(made, folder=tmp_path / "run", stop=stop)
    assert [each["status"] for each in journal["rollbacks"]] == ["succeeded", "succeeded"]
    assert asked.count(True) >= 3, "a caller shows by its answers that it lives"


def test_a_sigterm_to_the_child_in_a_pause_ends_the_run_and_rolls_back(tmp_path):
    """There the library is interrupted as it should be."""
    made = document([{**action("yes"), "pauses": {"after": 60}}], [action("yes", "mend")])
    pids = []

    def on_event(event):
        if event.name == "activity_completed" and not pids and event.message == "yes: succeeded" and method:
            pids.extend(children())
            os.kill(pids[0], signal.SIGTERM)
        if event.name == "start_method":
            method.append(event)

    method = []
    journal = run_document(made, folder=tmp_path, on_event=on_event)
    assert pids
    assert (journal["status"], interpret(journal).verdict) == ("interrupted", "aborted")
    assert [each["status"] for each in journal["rollbacks"]] == ["succeeded"]


def children():
    import psutil

    return [child.pid for child in psutil.Process().children() if "chaos.toolkit.engine" in " ".join(child.cmdline())]


def test_a_caller_that_fails_leaves_nothing_broken(tmp_path):
    """Whatever is raised on our side, the child rolls back before it is passed on."""
    mark = tmp_path / "mark"

    def fail(event):
        if mark.exists():
            raise KeyboardInterrupt(event.name)

    made = document([action("write", path=str(mark)), action("nap", seconds=60)], [action("remove", path=str(mark))])
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_document(made, folder=tmp_path / "run", on_event=fail)
    assert not mark.exists()
    assert time.monotonic() - began < 20


def test_what_an_activity_forked_does_not_hold_up_the_end(tmp_path):
    """It has the pipe of the events, and lives on."""
    began = time.monotonic()
    journal = run_document(document([action("leave_a_fork_behind", seconds=15)]), folder=tmp_path)
    assert (journal["status"], time.monotonic() - began < 12) == ("completed", True)


def test_the_journal_of_an_earlier_run_in_the_folder_is_not_taken_for_this_ones(tmp_path):
    made = document([action("yes")])
    run_document(made, folder=tmp_path)
    journal = run_document(document([action("die")]), folder=tmp_path)
    assert (journal["status"], journal["run"][0]["activity"]["name"]) == ("aborted", "die")


def test_a_hypothesis_that_raises_keeps_its_reason(tmp_path):
    """What a person reads is the probe's own error."""
    made = document([action("yes")], hypothesis=hypothesis(probe("boom")))
    result = interpret(run_document(made, folder=tmp_path))
    assert (result.verdict, "RuntimeError: boom" in result.reason) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ({"method": [action("unheard_of")]}, "unheard_of"),
        ({"method": [action("number", unknown=1)]}, "unknown"),
        ({"method": [{"ref": "nobody"}]}, "nobody"),
        ({"title": ""}, "title"),
        ({"runtime": {"hypothesis": {"strategy": "now and then"}}}, "Unknown strategy"),
    ],
)
def test_a_document_can_be_checked_without_running_it(tmp_path, spoil, complaint):
    """The same answer as at the start of a run."""
    made = {**document([action("yes")]), **spoil}
    with pytest.raises(ExperimentError, match=complaint):
        check_document(made, folder=tmp_path)


def test_checking_runs_nothing(tmp_path):
    mark = tmp_path / "mark"
    check_document(document([action("write", path=str(mark))]), folder=tmp_path / "check")
    assert not mark.exists()
