"""What Chaos Toolkit's library gets wrong when it is embedded, each with the truth that we tell in its place."""

import json
import subprocess
import sys
import threading
import time

import pytest

from chaos.errors import ExperimentError
from chaos.toolkit.engine import run_document
from chaos.toolkit.interpretation import interpret
from chaos.toolkit.journal import noted
from tests.integration.chaos_daemon import ROOT, eventually, http_server
from tests.integration.chaos_documents import MODULE, action, document, hypothesis, probe, truncated_body

pytestmark = pytest.mark.slow  # a process a run


@pytest.fixture
def mark(tmp_path):
    """A file that is there while the experiment has something broken."""
    return tmp_path / "broken"


@pytest.fixture
def run(tmp_path):
    def run(made, **more):
        made_of = json.dumps(made)
        journal = run_document(made, folder=tmp_path / "run", **more)
        assert json.dumps(made) == made_of, "the document is the caller's"
        assert json.loads((tmp_path / "run" / "journal.json").read_bytes()) == json.loads(json.dumps(journal))
        return journal, interpret(journal)

    return run


def once_broken(mark, reason="the user asks"):
    return lambda: reason if mark.exists() else ""


def test_1_a_run_can_be_started_in_any_thread(run):
    """The library registers signal handlers, which only a main thread may; it has its own, in the child."""
    found = []
    thread = threading.Thread(target=lambda: found.append(run(document([action("yes")]))))
    thread.start()
    thread.join()
    assert found[0][1].verdict == "held"


def test_2_two_runs_at_once_do_not_take_each_others_activities(tmp_path):
    """Both documents refer to an activity of the same name, which the library keeps in a module global."""

    def refer(path):
        return document([{**action("write", name="same", path=str(path))}, {"ref": "same"}])

    paths = [tmp_path / "one", tmp_path / "two"]
    journals = {}

    def run_one(path):
        journals[path] = run_document(refer(path), folder=tmp_path / f"run-{path.name}")

    threads = [threading.Thread(target=run_one, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for path in paths:
        used = {each["activity"]["provider"]["arguments"]["path"] for each in journals[path]["run"]}
        assert used == {str(path)}


def test_3_a_sigterm_in_a_python_activity_ends_the_run(run, mark):
    """The library takes its own interruption for a failed activity, goes on and says completed."""
    journal, result = run(
        document(
            [action("write", path=str(mark)), action("terminate_myself"), action("yes")],
            [action("remove", path=str(mark))],
        )
    )
    assert (journal["status"], result.verdict, mark.exists()) == ("interrupted", "aborted", False)
    assert [each["activity"]["name"] for each in journal["run"]] == ["write", "terminate_myself"]


def test_3_a_stop_ends_a_python_activity_at_once_and_rolls_back(run, mark):
    """By SIGUSR1, which is no Exception and so is not swallowed."""
    began = time.monotonic()
    journal, result = run(
        document([action("write_and_nap", path=str(mark), seconds=60)], [action("remove", path=str(mark))]),
        stop=once_broken(mark),
    )
    assert time.monotonic() - began < 15
    assert (journal["status"], result.verdict, result.reason) == ("interrupted", "aborted", "the user asks")
    assert not mark.exists()


def test_3_what_cannot_be_stopped_is_killed_and_a_fresh_child_rolls_back(run, mark):
    """The journal is ours then, made of what the child had told."""
    journal, result = run(
        document([action("write_and_hang", path=str(mark))], [action("remove", path=str(mark))]),
        stop=once_broken(mark),
        grace_s=0.5,
    )
    assert (journal["status"], result.verdict, mark.exists()) == ("aborted", "aborted", False)
    assert journal["run"][0]["activity"]["name"] == "write_and_hang"
    assert [each["status"] for each in journal["rollbacks"]] == ["succeeded"]


@pytest.mark.parametrize("probe_of", ["a probe that raises", "a service that is down"])
def test_4_rollbacks_are_played_when_the_hypothesis_fails(run, mark, probe_of):
    """The library's default skips them just then."""
    raises = probe("boom") if probe_of == "a probe that raises" else probe("http", url="http://127.0.0.1:9/")
    made = document([action("write", path=str(mark))], [action("remove", path=str(mark))], hypothesis(raises))
    made["runtime"] = {"hypothesis": {"strategy": "after-method-only"}, "rollbacks": {"strategy": "never"}}
    journal, result = run(made)
    assert (journal["status"], result.verdict) == ("failed", "deviated")
    assert len(journal["rollbacks"]) == 1
    assert not mark.exists()


def test_5a_a_hypothesis_that_is_not_met_before_proves_nothing(run):
    """completed, not deviated, exit code 0: and nothing was done."""
    journal, result = run(document([action("yes")], hypothesis=hypothesis(probe("no"))))
    assert (journal["status"], journal["deviated"], journal["run"]) == ("completed", False, [])
    assert (result.verdict, result.ran) == ("inconclusive", False)
    assert "nothing was broken" in result.reason


def test_5b_a_deviation_while_the_method_runs_counts(run, mark):
    """Without fail-fast the library forgets it."""
    made = document(
        [action("write_and_nap", path=str(mark), seconds=1), action("remove", path=str(mark))],
        hypothesis=hypothesis(probe("is_whole", path=str(mark))),
    )
    made["runtime"] = {"hypothesis": {"strategy": "during-method-only", "frequency": 0.1}}
    journal, result = run(made)
    assert (journal["status"], journal["deviated"], result.verdict) == ("completed", False, "deviated")


def test_5c_an_action_that_fails_has_injected_nothing(run):
    """Completed and not deviated, so a pipeline would believe the service resilient."""
    journal, result = run(document([action("boom")]))
    assert (journal["status"], journal["deviated"], result.verdict) == ("completed", False, "not_injected")


def test_6_the_tolerance_of_a_probe_in_the_method_counts(run):
    """The library does not look at it."""
    journal, result = run(document([action("yes"), {**probe("number", value=500), "tolerance": 200}]))
    assert (journal["deviated"], result.verdict) == (False, "deviated")
    assert "number" in result.reason


@pytest.mark.parametrize("logger", ["chaostoolkit", "logzero_default"])
def test_7_a_safeguard_that_died_makes_the_run_inconclusive(run, logger):
    """Its error is a debug line, and the run goes on unguarded."""
    made = document([action("yes")])
    made["controls"] = [
        {"name": "guard", "provider": {"type": "python", "module": MODULE, "arguments": {"logger": logger}}}
    ]
    result = run(made)[1]
    assert result.verdict == "inconclusive"
    assert "Safeguard 'budget' failed" in result.reason


def test_7_a_safeguard_that_cannot_be_loaded_makes_the_run_inconclusive(run):
    """The library warns and goes on."""
    made = document([action("yes")])
    made["controls"] = [{"name": "guard", "provider": {"type": "python", "module": "chaosaddons.not.installed"}}]
    result = run(made)[1]
    assert (result.verdict, "guard cannot be loaded" in result.reason) == ("inconclusive", True)


@pytest.mark.parametrize("declared", [{"timeout": 0.5}, {}])
def test_8_a_python_activity_that_hangs_is_ended(run, mark, declared):
    """The library validates a timeout and never looks at it again."""
    hanging = {**action("write_and_hang", path=str(mark)), **declared}
    made = document([hanging], [action("remove", path=str(mark))])
    result = run(made, activity_timeout_s=60 if declared else 0.5, grace_s=0.5)[1]
    assert (result.verdict, mark.exists()) == ("aborted", False)
    assert "took over" in result.reason


def test_9_an_asynchronous_probe_has_not_run_and_the_journal_is_whole(run):
    """It returns a coroutine, over which stock `chaos run` loses its journal."""
    journal, result = run(document([action("promise")]))
    assert (journal["run"][0]["status"], result.verdict) == ("failed", "not_injected")


def test_9_whatever_an_activity_returns_the_journal_is_json(run):
    """Objects, bytes, sets, numeric keys."""
    journal, result = run(document([action("odd")]))
    assert result.verdict == "held"
    assert journal["run"][0]["output"]["3"] == [1, 2]


def test_10_configuration_is_a_copy_for_each_activity(run):
    """An activity cannot hand something to the next through it, so nothing of ours does."""
    made = document([action("configured"), action("asked_what")])
    made["configuration"] = {"answer": "42"}
    assert [each["output"] for each in run(made)[0]["run"]] == [{"answer": "changed"}, "42"]


def test_11_dry_and_tolerances_leave_no_trace_in_the_document(run):
    """The library wants an enum that is no JSON, and writes probe outputs into the experiment."""
    value = {"type": "probe", "name": "tolerance", "provider": {**action("number")["provider"], "arguments": {}}}
    made = document([action("yes")], hypothesis=hypothesis({**probe("yes"), "tolerance": value}))
    made["dry"] = "actions"
    journal, result = run(made)
    assert (journal["experiment"]["dry"], result.verdict) == ("actions", "inconclusive")
    assert journal["experiment"]["steady-state-hypothesis"] == made["steady-state-hypothesis"]


@pytest.mark.parametrize("place", ["method", "hypothesis"])
def test_12_a_truncated_body_loses_neither_journal_nor_rollbacks(run, mark, place):
    """Of all errors of its HTTP client the library catches two; in a hypothesis this one ends the process."""
    with http_server(truncated_body()) as server:
        ask = probe("http", url=f"http://127.0.0.1:{server.server_port}/")
        made = document([action("write", path=str(mark))], [action("remove", path=str(mark))])
        if place == "method":
            made["method"].append(ask)
        else:
            made |= {"steady-state-hypothesis": hypothesis(ask)}
            made["runtime"] = {"hypothesis": {"strategy": "after-method-only"}}
        journal, result = run(made)
    assert (journal["status"], result.verdict, mark.exists()) == ("aborted", "aborted", False)
    assert [each["status"] for each in journal["rollbacks"]] == ["succeeded"]
    assert place == "method" or "ChunkedEncodingError" in result.reason


def test_13_an_engine_that_dies_leaves_a_journal_and_rolls_back(run, mark):
    """Killed from outside, or by the memory's end."""
    journal, result = run(
        document([action("write", path=str(mark)), action("die")], [action("remove", path=str(mark))])
    )
    assert (journal["status"], result.verdict, mark.exists()) == ("aborted", "aborted", False)
    assert "-9" in noted(journal)["reason"]
    assert journal["run"][0]["status"] == "succeeded"


PARENT = """
import json, sys
from pathlib import Path
from chaos.toolkit.engine import run_document
run_document(json.loads(sys.argv[1]), folder=Path(sys.argv[2]))
"""


def test_13_kill_9_of_the_parent_ends_the_child_which_rolls_back(tmp_path, mark):
    """The pipe that ties them together ends with the parent."""
    made = document([action("write_and_nap", path=str(mark), seconds=60)], [action("remove", path=str(mark))])
    parent = subprocess.Popen([sys.executable, "-c", PARENT, json.dumps(made), str(tmp_path / "run")], cwd=ROOT)
    eventually(mark.exists, 20)
    parent.kill()
    parent.wait()
    eventually(lambda: not mark.exists(), 5)


def test_what_the_toolkit_does_not_accept_is_refused_and_nothing_runs(run, mark):
    """An unknown action, before the first activity."""
    made = document([action("write", path=str(mark)), action("unheard_of")])
    with pytest.raises(ExperimentError, match="unheard_of"):
        run(made)
    assert not mark.exists()
