"""`ninelives incidents ...` against the API over a real database."""

import json

import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter

from api import models as m
from ninelives.cli import main
from storage.acknowledgements import AcknowledgementRow, acknowledge
from tests.integration.alert_past import MINUTE, ago, firing, resolved, store
from tests.integration.slo_past import serving

pytestmark = pytest.mark.slow


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Return a function that runs `ninelives incidents ...` and returns exit code, output and complaint."""
    monkeypatch.setenv("GITHUB_ACTOR", "ann")
    with serving(database, tmp_path) as address:

        def command(*arguments):
            done = CliRunner().invoke(main, ["incidents", *arguments, "--api", address])
            assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
            return done.exit_code, done.stdout, done.stderr

        yield command


@pytest.fixture
def past(database):
    """An incident of two alerts, taken on after 5 minutes and over after 30."""
    start = ago(200)
    one = resolved("one", start, start + 30 * MINUTE)
    two = resolved("two", start + 9 * MINUTE, start + 12 * MINUTE, severity="ticket")
    store(database, *one, *two)
    acknowledge(database, AcknowledgementRow("one", start + 5 * MINUTE, "bob", "", "page"))
    return start


def test_the_list_fails_while_an_incident_goes_on(run, database, past):
    code, told, _ = run("list")
    header, line = told.splitlines()
    assert code == 0
    assert header.split() == ["STATE", "DETECTED", "TAKEN", "ON", "RESOLVED", "ALERTS", "INCIDENT", "SERVICE", "TITLE"]
    assert " ".join(line.partition("UTC")[2].split()) == "5 min 30 min 2 one shop Shop"
    store(database, firing("new", ago(9)))
    code, told, _ = run("list", "--json")
    assert code == 1
    assert [item.id for item in TypeAdapter(list[m.Incident]).validate_json(told)] == ["new", "one"]
    assert "not yet" in run("list")[1].splitlines()[1]
    assert run("list", "--service", "till")[0] == 0
    assert [item["id"] for item in json.loads(run("list", "--since", "1h", "--json")[1])] == ["new"]


def test_an_incident_is_shown_with_its_times_and_notes(run, past):
    assert run("note", "two", "rolled\nback")[0] == 0
    code, told, _ = run("show", "one")
    assert code == 0
    lines = told.splitlines()
    assert lines[0] == "Shop (one)"
    assert "state         resolved, 1 page, 1 ticket" in lines
    assert f"acknowledged  {past + 5 * MINUTE:%Y-%m-%d %H:%M:%S} UTC, after 5 min" in lines
    assert f"resolved      {past + 30 * MINUTE:%Y-%m-%d %H:%M:%S} UTC, after 30 min" in lines
    assert lines[-1].endswith("  rolled back (ann)")
    assert m.IncidentRecord.model_validate_json(run("show", "one", "--json")[1]).note_count == 1


def test_a_note_is_of_who_writes_it(run, past):
    code, told, _ = run("note", "one", "better now", "--author", "bob")
    assert (code, told.startswith("noted by bob at ")) == (0, True)
    note = m.IncidentNote.model_validate_json(run("note", "one", "good", "--json")[1])
    assert (note.author, note.text) == ("ann", "good")
    code, told, complaint = run("note", "one", " ")
    assert (code, told, "text is empty" in complaint) == (1, "", True)
    assert run("note", "ghost", "x")[0] == 1


def test_a_postmortem_is_printed_or_written_and_never_over_a_file(run, past, tmp_path):
    code, told, _ = run("postmortem", "one")
    assert (code, told.startswith("# Post-mortem: Shop, ")) == (0, True)
    file = tmp_path / "postmortem.md"
    assert run("postmortem", "one", "--output", str(file))[:2] == (0, f"wrote {file}\n")
    assert file.read_text("utf-8") == told
    file.write_text("mine", "utf-8")
    code, _, complaint = run("postmortem", "one", "--output", str(file))
    assert (code, "is there already" in complaint, file.read_text("utf-8")) == (1, True, "mine")
    assert run("postmortem", "one", "--output", str(tmp_path / "none" / "x.md"))[0] == 1


def test_means_are_told_by_service(run, database, past):
    store(database, *resolved("three", past + 100 * MINUTE, past + 110 * MINUTE))
    header, line = run("metrics")[1].splitlines()
    assert header.split() == ["SERVICE", "ENVIRONMENT", "INCIDENTS", "MTTD", "MTTA", "MTTR", "MTBF"]
    assert " ".join(line.split()) == "shop prod 2 0 s 5 min 20 min 1 h 40 min"
    (found,) = TypeAdapter(list[m.IncidentMetrics]).validate_json(run("metrics", "--since", "150m", "--json")[1])
    assert (found.incidents, found.mttr_s, found.mtbf_s) == (1, 600, None)
    code, _, complaint = run("metrics", "--since", "1h", "--until", "2h")
    assert (code, "must lie after the start" in complaint) == (1, True)
    assert run("metrics", "--since", "soon")[0] == 2
