"""A Chaos Toolkit document from the pre-flight to a stored run, with the toolkit's own library."""

import json

import pytest

from chaos.experiments.experiment_file import read_experiment
from chaos.fault_client import FaultClient
from chaos.runner.runner import run_experiment
from tests.integration.chaos_api import api_over
from tests.integration.chaos_documents import action, document, probe

pytestmark = pytest.mark.slow  # a process a run


def test_a_document_runs_and_is_stored_with_its_journal_and_its_steps(database, tmp_path):
    path = tmp_path / "somebodys.json"
    path.write_text(json.dumps(document([action("yes", "break"), probe("number", value=3)], [action("yes", "mend")])))
    with api_over(database) as api, FaultClient("http://127.0.0.1:1") as faults:
        run = run_experiment(read_experiment(path), api, faults, data_dir=tmp_path)
        assert api.run(run.id) == run
    assert (run.status, run.verdict, run.source) == ("finished", "held", "chaostoolkit")
    steps = [event.message for event in run.events if event.step == "activity"]
    assert [step for step in steps if "method" in step or "break" in step] == [
        "start method", "start activity: break", "activity completed: break: succeeded", "method completed",
    ]  # fmt: skip
    assert [each["status"] for each in run.journal["rollbacks"]] == ["succeeded"]
