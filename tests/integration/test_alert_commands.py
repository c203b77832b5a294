"""`ninelives alerts ...` against the API over a real database, as a person and a pipeline read it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter

from api import models as m
from ninelives.cli import main
from tests.integration.alert_past import MINUTE, TRACE, ago, explain, firing, resolved, store, tell
from tests.integration.slo_past import objective, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Return a function that runs `ninelives alerts ...` and returns exit code, output and complaint."""
    monkeypatch.setenv("GITHUB_ACTOR", "ann")
    (tmp_path / "shop.yaml").write_text(objective(), "utf-8")
    with serving(database, tmp_path) as address:

        def command(*arguments):
            done = CliRunner().invoke(main, ["alerts", *arguments, "--api", address])
            assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
            return done.exit_code, done.stdout, done.stderr

        yield command


def test_the_list_fails_while_an_alert_fires_and_says_who_has_it(run, database):
    store(database, *resolved("over", ago(30), ago(20)))
    assert run("list")[0] == 0
    store(database, firing("fires", ago(9), flapping=True, summary="it \x1b[2Jfails\nbadly"))
    run("ack", "fires")
    run("silence", "add", "service_name=shop", "--for", "1h", "--comment", "known")
    code, told, _ = run("list")
    header, line, past = told.splitlines()
    assert code == 1
    assert header.split() == ["STATE", "SEVERITY", "SINCE", "ALERT", "NOTED", "SUMMARY"]
    assert "acknowledged by ann, silenced, flapping  it ?[2Jfails badly" in line
    assert past.endswith("over is over")
    assert [item.id for item in TypeAdapter(list[m.Alert]).validate_json(run("list", "--json")[1])] == ["fires", "over"]


def test_the_list_can_be_narrowed(run, database):
    store(database, *resolved("old", ago(300), ago(200)), firing("new", ago(9), severity="ticket", service="till"))
    for arguments, found in (
        (("--state", "resolved"), ["old"]),
        (("--severity", "ticket"), ["new"]),
        (("--service", "till", "--environment", "prod"), ["new"]),
        (("--slo", "ghost"), []),
        (("--since", "1h"), ["new"]),
        (("--since", ago(250).isoformat()), ["new", "old"]),
    ):
        assert [item["id"] for item in json.loads(run("list", "--json", *arguments)[1])] == found, arguments


@pytest.mark.parametrize("since", ["yesterday", "2026-10-01", "7 parsecs"])
def test_a_since_that_is_no_time_is_misuse(run, since):
    code, _, complaint = run("list", "--since", since)
    assert code == 2
    assert repr(since) in complaint


def test_an_alert_is_shown_with_its_evidence(run, database):
    fires = firing("fires", ago(9))
    store(database, fires)
    assert "No evidence was gathered yet." in run("show", "fires")[1]
    explain(database, fires)
    run("ack", "fires", "--comment", "on it", "--author", "bob")
    code, told, _ = run("show", "fires")
    assert code == 0
    for line in (
        "fires fails",
        "state         firing, page",
        "service       shop (prod)",
        "objective     shop-availability",
        "runbook       https://runbooks.example/shop",
        "GET /pay fails since version 2",
        "budget spent  2.0 %",
        "  90.0 %  till POST /charge (9 bad)",
        "  service.version = 2: 90.0 % of the bad, 10.0 % of the good",
        f"  {TRACE}  GET /pay  812.5 ms  error in till POST /charge",
    ):
        assert line in told.splitlines()
    assert " UTC by bob: on it\n" in told
    assert m.AlertRecord.model_validate_json(run("show", "fires", "--json")[1]).evidence.spenders[0].bad == 9


def test_messages_that_were_given_up_are_listed_with_channel_time_and_reason(run, database):
    lost, sent = firing("lost", ago(9)), firing("sent", ago(8))
    store(database, lost, sent)
    tell(database, lost, "failed", "dead", channel="team/slack-1")
    tell(database, sent, "failed", "sent")
    code, told, _ = run("deliveries", "--failed")
    assert code == 1
    (line,) = told.splitlines()[1:]
    at = f"{lost.at + timedelta(seconds=2):%Y-%m-%d %H:%M:%S} UTC"
    assert line.split("  ") == [at, "team/slack-1", "given up", "HTTP 503", "lost"]
    code, told, _ = run("deliveries", "--json", "--channel", "oncall/pagerduty-1")
    assert code == 0
    found = [(item["status"], item["attempt"], item["alert_ids"]) for item in json.loads(told)]
    assert found == [("sent", 2, ["sent"]), ("failed", 1, ["sent"])]
    assert [item["channel"] for item in json.loads(run("deliveries", "--json", "--alert", "lost")[1])] == [
        "team/slack-1"
    ] * 2
    assert run("deliveries", "--failed", "--since", "5m")[0] == 0


def test_what_happened_is_told_in_order(run, database):
    fires = firing("fires", ago(9))
    store(database, fires)
    tell(database, fires, "failed", "sent")
    run("ack", "fires", "--comment", "on it")
    code, told, _ = run("history", "fires")
    assert code == 0
    assert [line[25:] for line in told.splitlines()] == [
        "Fired: fires fails",
        "oncall/pagerduty-1 is to be told: firing",
        "Attempt 1 to tell oncall/pagerduty-1 failed and is tried again: HTTP 503",
        "Sent to oncall/pagerduty-1 in 120 ms",
        "Acknowledged by ann: on it",
    ]
    kinds = [event["kind"] for event in json.loads(run("history", "fires", "--json")[1])]
    assert kinds == ["firing", "notification", "delivery", "delivery", "acknowledgement"]


def test_what_the_api_refuses_is_one_line_and_exit_code_1(run, database):
    store(database, *resolved("over", ago(30), ago(20)))
    code, told, complaint = run("ack", "over")
    assert (code, told) == (1, "")
    assert "resolved at" in complaint
    assert len(complaint.splitlines()) == 1
    assert run("show", "ghost")[0] == run("history", "ghost")[0] == run("silence", "expire", "ghost")[0] == 1


def test_a_silence_is_added_listed_and_ended(run, database):
    store(database, firing("fires", ago(9)))
    code, told, _ = run(
        "silence", "add", "service_name=shop", "environment=~prod|test", "--for", "2h", "--comment", "deploy"
    )
    silence_id = told.partition(":")[0]
    assert code == 0
    assert told.splitlines()[0].startswith(f"{silence_id}: active, from ")
    assert told.splitlines()[1] == "it matches fires"
    header, line = run("silence", "list")[1].splitlines()
    assert header.split() == ["ID", "STATE", "FROM", "UNTIL", "MATCHERS", "ALERTS", "BY", "COMMENT"]
    assert 'service_name="shop", environment=~"prod|test"  1       ann  deploy' in line
    code, told, _ = run("silence", "expire", silence_id)
    assert (code, told.startswith(f"{silence_id}: over since ")) == (0, True)
    assert len(run("silence", "list")[1].splitlines()) == 1
    (found,) = TypeAdapter(list[m.Silence]).validate_json(run("silence", "list", "--expired", "--json")[1])
    assert (found.state, found.alert_ids) == ("expired", [])


def silence_of(run, *arguments):
    code, told, complaint = run("silence", "add", "service_name=till", "--comment", "x", "--json", *arguments)
    assert (code, complaint) == (0, "")
    return m.Silence.model_validate_json(told)


def test_when_a_silence_ends(run):
    start = ago(-30)
    found = silence_of(run, "--start", start.isoformat(), "--for", "2h", "--author", "bob")
    assert (found.state, found.starts_at, found.ends_at) == ("pending", start, start + timedelta(hours=2))
    assert (found.author, found.until_resolved) == ("bob", False)
    assert silence_of(run, "--end", start.isoformat()).ends_at == start
    limited = silence_of(run, "--until-resolved", "--for", "1h")
    assert (limited.until_resolved, limited.ends_at - limited.starts_at < timedelta(minutes=61)) == (True, True)
    unlimited = silence_of(run, "--until-resolved")
    assert abs(unlimited.ends_at - datetime.now(UTC) - timedelta(days=7)) < MINUTE
    assert ", or until resolved" in run("silence", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["a=b"], 2, "say when it ends"),
        (["a=b", "--for", "2h", "--end", "2999-01-01T00:00:00Z"], 2, "leave one out"),
        (["a=b", "--for", "2 parsecs"], 2, "'2 parsecs'"),
        (["a=b", "--end", "2999-01-01"], 2, "'2999-01-01'"),
        ([], 2, "MATCHER"),
        (["a=b", "--end", "2020-01-01T00:00:00Z"], 1, "2020-01-01"),
        (["a=~.*", "--for", "2h"], 1, "match every alert"),
        (["nonsense", "--for", "2h"], 1, "'nonsense'"),
        (["a=b", "--for", "2h", "--author", ""], 1, "author"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(run, arguments, code, named):
    found, told, complaint = run("silence", "add", "--comment", "x", *arguments)
    assert (found, told) == (code, "")
    assert named in complaint


def test_a_silence_without_a_comment_is_misuse(run):
    code, _, complaint = run("silence", "add", "a=b", "--for", "2h")
    assert code == 2
    assert "--comment" in complaint
