"""Other people's journals as runs."""

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.models import Run
from chaos.toolkit.journal import note
from chaos.toolkit.journal_import import MOST_BYTES, JournalError, read_journal
from chaos.toolkit.redaction import MARK, redact
from tests.unit.chaos_journals import NEW, OLD, journal, ran


def read(document):
    return read_journal(json.dumps(document).encode())


def test_a_journal_becomes_a_finished_run_with_verdict_windows_and_timeline():
    """Judged anew, labelled as imported, and readable as any run."""
    run = read(NEW)
    assert (run.status, run.verdict, run.source) == ("finished", "held", "imported")
    assert (run.experiment, run.title) == ("orders-loses-its-cache", "Orders loses its cache")
    assert [window.phase for window in run.windows] == ["baseline", "fault", "recovery"]
    assert run.hypothesis == ["is up"]
    assert run.method == [{"kind": "m.f", "target": "stop cache"}]
    assert [(event.step, event.message) for event in run.events][-1] == ("rollback", "action start cache: succeeded")
    assert Run.model_validate_json(run.model_dump_json()) == run


def test_the_same_journal_is_the_same_run():
    """However often it is sent; another is another."""
    assert read(NEW).id == read(NEW).id != read(OLD).id


@pytest.mark.parametrize(
    "text", ["2026-03-01T10:00:00.000001+00:00", "2026-03-01T10:00:00.000001", "2026-03-01T10:00:00.000001Z"]
)
def test_all_three_forms_of_time_are_the_same_moment(text):
    """Up to 1.43.0 without a zone, later with one, some tools write Z."""
    assert read(journal(start=text)).started_at.isoformat() == "2026-03-01T10:00:00.000001+00:00"


def test_a_journal_of_2020_is_read():
    run = read(OLD)
    assert (run.verdict, run.status) == ("deviated", "finished")
    assert (run.ended_at - run.started_at).total_seconds() == pytest.approx(3.915, abs=0.01)


def test_a_killed_run_ends_with_its_last_activity():
    """Its journal has no end, no duration and no status."""
    cut = journal(run=[ran("action", "stop cache", at="30")], rollbacks=[])
    for field in ("end", "duration", "status"):
        del cut[field]
    del cut["run"][0]["status"]
    run = read(cut)
    assert (run.status, run.verdict, run.ended_at.second) == ("aborted", "aborted", 30)
    assert run.events[-1].message == "action stop cache: interrupted"


def test_a_run_whose_method_was_skipped_is_not_a_finished_one():
    """Nothing was broken."""
    unmet = deepcopy(NEW["steady_states"]) | {"after": None}
    unmet["before"]["steady_state_met"] = False
    run = read(journal(steady_states=unmet, run=[]))
    assert (run.status, run.verdict) == ("failed", "inconclusive")
    assert run.summary.startswith("Not run: ")


def test_unknown_fields_and_swallowed_errors_are_kept():
    """Tolerated at the root; problems that a runner of ours noted are events."""
    run = read(note(journal(theirs=1), problems=["guard died"]))
    assert run.journal["theirs"] == 1
    assert "guard died" in [event.message for event in run.events]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not JSON"),
        (json.dumps(NEW).encode()[:300], "not JSON"),
        (b"[]", "no Chaos Toolkit journal"),
        (b'{"experiment": 3}', "no Chaos Toolkit journal"),
        (b'{"experiment": {}}', "start is no time (got None)"),
        (json.dumps({"experiment": {}, "start": "soon"}).encode(), "start is no time (got 'soon')"),
        (b" " * (MOST_BYTES + 1), "at most 5000000 are taken"),
        (b'{"experiment": {}, "start": "2026-01-01", "a": ' + b"[" * 80 + b"]" * 80 + b"}", "levels deep"),
        (b'{"a": ' + b"[" * 9000 + b"]" * 9000 + b"}", "not JSON"),
    ],
)
def test_what_is_no_journal_is_refused_with_a_reason(content, complaint):
    with pytest.raises(JournalError) as caught:
        read_journal(content)
    assert complaint in str(caught.value)


SECRETS = {
    "headers": {"Set-Cookie": "sid=opensesame", "Server": "opensesame"},
    "db_password": "opensesame",
    "apiKey": "opensesame",
    "nested": [{"authorization": "opensesame"}, {"env": {"PATH": "opensesame"}}],
    "stdout": "HOME=opensesame\nDATABASE_URL=opensesame\nok",
    "url": "https://user:opensesame@host/",
    "line": "curl -H 'Bearer opensesame.opensesame'",
    "host": "ssh-rsa opensesameopensesameopensesame",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nopensesame\n-----END RSA PRIVATE KEY-----",
    "token": {"type": "env", "key": "TOKEN", "default": "opensesame"},
}


def test_secrets_headers_and_environments_are_not_kept():
    """In outputs, exceptions, configuration and secrets; a mark stands where they were."""
    full = journal(run=[ran("action", "a", "failed", output=SECRETS, exception="Bearer opensesame1")])
    full["experiment"] |= {"secrets": {"vault": {"k": "opensesame"}}, "configuration": {"api_token": "opensesame"}}
    text = read(full).model_dump_json()
    assert "opensesame" not in text
    assert MARK in text
    assert "Set-Cookie" in text


def test_where_a_secret_lies_is_no_secret():
    """Its declaration shows which variable it came from."""
    assert redact({"secrets": {"a": {"type": "env", "key": "A"}}}) == {"secrets": {"a": {"type": "env", "key": "A"}}}


def test_long_outputs_are_cut_and_say_so():
    """One probe's output must not be all of a page."""
    run = read(journal(run=[ran("action", "a", output="x" * 100_000)]))
    assert len(run.model_dump_json()) < 20_000
    assert run.journal["run"][0]["output"].endswith("[96000 characters left out]")


@pytest.mark.parametrize(("given", "kept"), [("chaostoolkit-1", True), ("orders-latency-1", False), ("../x", False)])
def test_only_our_controls_id_is_taken_over(given, kept):
    """A journal cannot take the place of a run of ours."""
    named = note(NEW)
    named["experiment"]["extensions"][0]["run"]["id"] = given
    assert (read(named).id == given) is kept


KEYS = [
    "activity",
    "provider",
    "status",
    "probes",
    "steady_state_met",
    "before",
    "after",
    "title",
    "extensions",
    "name",
    "run",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(NEW)), json_values, max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_json_is_a_run_or_refused(change):
    """Nothing else is raised, and damaged journals never count as good news they do not hold."""
    try:
        run = read(journal(**change))
    except JournalError:
        return
    assert run.started_at <= run.ended_at
