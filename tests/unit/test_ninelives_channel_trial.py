"""`ninelives alerts test`: a marked message to real servers on this machine, and what is said of it."""

import json
import socket

import pytest
from click.testing import CliRunner

from ninelives.cli import main
from tests.unit.alert_receivers import answer, http_peer, mail_peer

ROUTE = "route: {receiver: team}\nallow_private_addresses: true\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that writes alerts.yaml, runs `alerts test` and returns exit code, output and complaint."""
    monkeypatch.setenv("GITHUB_ACTOR", "ann")
    monkeypatch.chdir(tmp_path)

    def command(text, *arguments):
        if text is not None:
            (tmp_path / "alerts.yaml").write_text(text, "utf-8")
        done = CliRunner().invoke(main, ["alerts", "test", *arguments])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return command


def config(*channels):
    return ROUTE + "receivers:\n  - name: team\n" + "".join(f"    {channel}\n" for channel in channels)


def test_a_webhook_is_told_that_it_is_a_test(run):
    with http_peer() as peer:
        code, told, _ = run(config(f"webhook_configs: [{{url: '{peer.url()}'}}]"), "team/webhook-1")
    (request,) = peer.requests
    (alert,) = json.loads(request.body)["alerts"]
    assert (code, alert["labels"]["alertname"], alert["status"]) == (0, "NinelivesTest", "firing")
    assert alert["annotations"]["summary"] == "This is a test of team/webhook-1 that ann asked for. Nothing is wrong."
    assert told.startswith(f"team/webhook-1: 127.0.0.1:{peer.port} accepted the test message after ")
    assert "s3cret" not in told


def test_a_receiver_is_all_of_its_channels_and_one_that_fails_stops_no_other(run):
    with http_peer(answer(400)) as bad, http_peer() as good:
        text = config(
            f"webhook_configs: [{{url: '{bad.url()}'}}]",
            f"slack_configs: [{{api_url: '{good.url()}'}}]",
        )
        code, told, _ = run(text, "team", "--json")
    first, second = json.loads(told)
    assert code == 1
    assert (first["channel"], first["sent"], first["permanent"]) == ("team/webhook-1", False, True)
    assert "400" in first["error"]
    assert (second["channel"], second["sent"], second["error"]) == ("team/slack-1", True, "")
    assert "Nothing is wrong." in good.requests[0].body.decode()
    assert second["took_ms"] >= 0


def test_pagerduty_is_told_at_once_that_it_is_over(run):
    with http_peer(answer(202)) as peer:
        code, _, _ = run(config(f"pagerduty_configs: [{{routing_key: k3y, url: '{peer.url()}'}}]"), "team/pagerduty-1")
    begun, over = (json.loads(request.body) for request in peer.requests)
    assert (code, begun["event_action"], over["event_action"]) == (0, "trigger", "resolve")
    assert begun["dedup_key"] == over["dedup_key"]
    assert begun["payload"]["severity"] == "warning"


def test_mail_is_sent(run, tmp_path):
    with mail_peer(tmp_path, tls=False) as peer:
        settings = f"{{to: a@example.com, from: n@example.com, smarthost: '127.0.0.1:{peer.port}', require_tls: false}}"
        code, told, _ = run(config(f"email_configs: [{settings}]"), "team/email-1")
    assert (code, f"127.0.0.1:{peer.port} accepted" in told) == (0, True)
    assert len(peer.box.envelopes) == 1


def test_a_server_that_is_not_there_is_told_with_what_an_alert_would_do(run):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code, told, _ = run(config(f"webhook_configs: [{{url: 'http://127.0.0.1:{port}/s3cret'}}]"), "team")
    assert code == 1
    assert f"127.0.0.1:{port} did not take the test message" in told
    assert told.endswith("; an alert would be tried again\n")
    assert "s3cret" not in told


def test_a_private_address_is_refused_where_the_file_forbids_it(run):
    with http_peer() as peer:
        text = config(f"webhook_configs: [{{url: '{peer.url()}'}}]").replace("addresses: true", "addresses: false")
        code, told, _ = run(text, "team")
    assert (code, peer.requests) == (1, [])
    assert "127.0.0.1" in told


def test_a_secret_that_cannot_be_read_is_named(run, tmp_path):
    code, told, _ = run(config(f"slack_configs: [{{api_url_file: '{tmp_path}/none'}}]"), "team")
    assert code == 1
    assert "an unknown host" in told
    assert f"{tmp_path}/none cannot be read" in told


def test_without_a_name_the_channels_are_listed_without_their_secrets(run):
    text = config(
        "webhook_configs: [{url: 'https://user:s3cret@hooks.example/s3cret'}]",
        "pagerduty_configs: [{routing_key: s3cret}]",
        "apprise_configs: [{url: 'tgram://s3cret/1'}]",
    )
    code, told, _ = run(text)
    assert code == 0
    assert [line.split() for line in told.splitlines()] == [
        ["CHANNEL", "RECEIVER", "KIND", "HOST"],
        ["team/webhook-1", "team", "webhook", "hooks.example"],
        ["team/pagerduty-1", "team", "pagerduty", "events.pagerduty.com"],
        ["team/apprise-1", "team", "apprise", "tgram", "(apprise)"],
    ]
    assert [item["name"] for item in json.loads(run(None, "--json")[1])] == [
        "team/webhook-1", "team/pagerduty-1", "team/apprise-1",
    ]  # fmt: skip
    assert "s3cret" not in told + run(None, "--json")[1]


def test_the_webhooks_of_the_environment_are_channels_too_and_need_no_file(run):
    with http_peer() as peer:
        code, told, _ = run(None, "default", "--webhooks", peer.url())
    assert (code, len(peer.requests)) == (0, 1)
    assert told.startswith("default/webhook-1: ")


@pytest.mark.parametrize(
    ("text", "arguments", "named"),
    [
        (config("webhook_configs: [{url: 'https://hooks.example'}]"), ["ghost"], "'ghost'; there are: team/webhook-1"),
        (None, ["ghost"], "alerts.yaml configures no channel"),
        (None, ["ghost", "--alerts", "none.yaml"], "none.yaml"),
        ("route: {receiver: ghost}\nreceivers: []\n", [], "ghost"),
        ("route: [", [], "alerts.yaml"),
    ],
)
def test_what_is_not_configured_is_misuse(run, text, arguments, named):
    code, told, complaint = run(text, *arguments)
    assert (code, told) == (2, "")
    assert named in complaint
