"""Journals of the stock Chaos Toolkit become runs: over the API and by the command."""

import json
import os

import httpx
import pytest
from click.testing import CliRunner

from api.client import ApiError
from ninelives.cli import main
from ninelives.settings import PREFIX
from ninelives.toolkit_runs import read_journal
from tests.integration.chaos_api import api_over
from tests.unit.chaos_journals import NEW, OLD, journal

pytestmark = pytest.mark.slow


@pytest.fixture
def api(database):
    with api_over(database, read_journal=read_journal) as found:
        yield found


def test_a_journal_is_stored_once_however_often_it_comes(api):
    content = json.dumps(NEW).encode()
    run = api.import_journal(content)
    assert (run.title, run.source, run.verdict) == ("Orders loses its cache", "imported", "held")
    assert api.import_journal(content) == run == api.run(run.id)
    old = api.import_journal(json.dumps(OLD).encode())
    assert [each.id for each in api.runs()] == [run.id, old.id]


def test_the_answer_is_201_and_needs_no_content_type(api):
    answer = httpx.post(f"{api.base_url}/api/v1/runs/import", content=json.dumps(NEW), trust_env=False)
    assert (answer.status_code, answer.json()["verdict"]) == (201, "held")


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"{", 422, "the journal is not JSON"),
        (b"[]", 422, "this is no Chaos Toolkit journal: it has no experiment"),
        (b"", 422, "the journal is not JSON"),
        (json.dumps(journal(start="yesterday")).encode(), 422, "the journal's start is no time (got 'yesterday')"),
        (json.dumps(journal(log="x" * (3 << 20))).encode(), 413, "larger than 2 MiB"),
    ],
)
def test_what_is_no_journal_is_refused_with_the_reason(api, content, status, reason):
    with pytest.raises(ApiError) as refused:
        api.import_journal(content)
    assert refused.value.status == status
    assert reason in str(refused.value)
    assert api.runs() == []


def test_a_process_that_reads_no_journals_says_who_does(database):
    with api_over(database) as api, pytest.raises(ApiError, match="ninelives up") as refused:
        api.import_journal(json.dumps(NEW).encode())
    assert refused.value.status == 409


def test_the_command_sends_a_file_and_says_the_id_or_what_is_wrong_with_it(api, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "journal.json").write_text(json.dumps(NEW), "utf-8")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    address = api.base_url.removeprefix("http://")
    done = CliRunner().invoke(main, ["chaos", "import", "--api", address, "journal.json"])
    assert (done.exit_code, done.output.strip()) == (0, api.runs()[0].id)
    refused = CliRunner().invoke(main, ["chaos", "import", "--api", address, "broken.json"])
    assert refused.exit_code == 1
    assert "the journal is not JSON" in refused.output
