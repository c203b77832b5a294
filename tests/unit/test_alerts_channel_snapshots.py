"""What each channel sends, recorded by real servers; REWRITE_SNAPSHOTS=1 writes the records anew."""

import json
import os
from pathlib import Path

import pytest

from alerts.channels.apprise import AppriseChannel
from alerts.channels.email import EmailChannel
from alerts.channels.msteams import MsTeamsChannel
from alerts.channels.pagerduty import PagerDutyChannel
from alerts.channels.slack import SlackChannel
from alerts.channels.smtp import Smarthost
from alerts.channels.webhook import WebhookChannel
from alerts.rendering import Renderer
from tests.unit.alert_messages import MESSAGES, NOW
from tests.unit.alert_receivers import ANYWHERE, http_peer, mail_peer

FOLDER = Path(__file__).parent / "channel_snapshots"
RENDERER = Renderer()
KEPT = ("Content-Type", "Idempotency-Key", "X-Ninelives-Signature", "User-Agent")
CHANNELS = {
    "webhook": lambda url: WebhookChannel("team/webhook-1", url, secret="s3cret", guard=ANYWHERE, now=lambda: NOW),
    "slack": lambda url: SlackChannel("team/slack-1", url, RENDERER, guard=ANYWHERE),
    "msteams": lambda url: MsTeamsChannel("team/msteamsv2-1", url, RENDERER, guard=ANYWHERE),
    "pagerduty": lambda url: PagerDutyChannel("oncall/pagerduty-1", "R0UT1NGKEY", url=url, guard=ANYWHERE),
    "apprise": lambda url: AppriseChannel("team/apprise-1", url.replace("http:", "json:"), RENDERER),
}


def _compare(name, text):
    file = FOLDER / name
    if os.environ.get("REWRITE_SNAPSHOTS"):
        file.write_text(text, "utf-8", newline="\n")
    assert text == file.read_text("utf-8"), f"{name} differs; if it is meant, run again with REWRITE_SNAPSHOTS=1"


@pytest.mark.parametrize("kind", CHANNELS)
@pytest.mark.parametrize("told", MESSAGES)
def test_a_request_is_the_recorded_one(kind, told):
    with http_peer() as peer:
        CHANNELS[kind](peer.url("/hook")).send(MESSAGES[told])
    record = [
        {
            "request": request.line,
            "headers": {name: request.headers[name] for name in KEPT if name in request.headers},
            "body": json.loads(request.body),
        }
        for request in peer.requests
    ]
    _compare(f"{kind}-{told}.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")


@pytest.fixture(scope="module")
def mail(tmp_path_factory):
    with mail_peer(tmp_path_factory.mktemp("certificates")) as peer:
        yield peer


@pytest.mark.parametrize("told", MESSAGES)
def test_an_e_mail_is_the_recorded_one(mail, told):
    smarthost = Smarthost("127.0.0.1", mail.port, tls=mail.trusted)
    EmailChannel(
        "team/email-1", ["oncall@shop.example"], "ninelives@shop.example", smarthost, RENDERER, now=lambda: NOW
    ).send(MESSAGES[told])
    recipients, content, encrypted = mail.box.envelopes[-1]
    assert recipients == ("oncall@shop.example",)
    assert encrypted
    _compare(f"email-{told}.eml", content.decode("ascii").replace("\r\n", "\n"))


@pytest.mark.parametrize("form", ["text", "slack", "html", "markdown"])
@pytest.mark.parametrize("told", MESSAGES)
def test_the_words_of_each_format_are_the_recorded_ones(form, told):
    body = RENDERER.body(MESSAGES[told], form)
    _compare(f"{form}-{told}.txt", f"{RENDERER.title(MESSAGES[told])}\n\n{body}\n")


def test_every_record_belongs_to_a_test():
    known = {f"{kind}-{told}.json" for kind in CHANNELS for told in MESSAGES}
    known |= {f"{form}-{told}.txt" for form in ("text", "slack", "html", "markdown") for told in MESSAGES}
    known |= {f"email-{told}.eml" for told in MESSAGES}
    assert {file.name for file in FOLDER.iterdir()} == known
