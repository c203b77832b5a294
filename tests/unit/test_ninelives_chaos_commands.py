"""`ninelives chaos`: what the flags change; what a run does is tested elsewhere."""

import os

import pytest
from click.testing import CliRunner

from ninelives.cli import main
from ninelives.commands import chaos as commands
from ninelives.settings import PREFIX
from tests.unit.chaos_world import running_run

EXPERIMENT = """
title: t
hypothesis: [{service: a, sli: availability, margin: 0}]
method: [{service_failure: {target: a}}]
safeguards: {budget_floor: 0.5}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.yaml").write_text(EXPERIMENT, "utf-8")
    return tmp_path


@pytest.mark.parametrize(("flags", "allowed"), [([], False), (["--allow-firing"], True)])
def test_a_team_that_knows_may_run_although_an_alert_fires(monkeypatch, flags, allowed):
    """The flag is for one run: the file stays as it is, and so do its other safeguards."""
    asked = []

    def run(_settings, experiment, _run_id, _tell):
        asked.append(experiment.safeguards)
        return running_run().model_copy(update={"status": "finished", "verdict": "held"})

    monkeypatch.setattr(commands, "_run", run)
    result = CliRunner().invoke(main, ["chaos", "run", "e.yaml", *flags])
    assert (result.exit_code, [each.allow_firing for each in asked]) == (0, [allowed])
    assert asked[0].budget_floor == 0.5
