"""Each medium's limits hold for messages of any size, and what does not fit is said."""

import json

import pytest

from alerts.channels.msteams import SIZE_LIMIT, teams_request
from alerts.channels.pagerduty import PagerDutyChannel, event
from alerts.channels.slack import BLOCK_LIMIT, HEADER_LIMIT, SECTION_LIMIT, sections, slack_payload
from alerts.errors import ChannelError
from alerts.facts import facts_of
from alerts.rendering import Renderer
from alerts.webhook_payload import build_payload
from tests.unit.alert_messages import FIRING, GROUP, RESOLVED, hostile
from tests.unit.alert_receivers import ANYWHERE, OK, answer, http_peer

RENDERER = Renderer()
every_message = pytest.mark.parametrize(
    "message", [FIRING, GROUP, hostile(), hostile(60)], ids=["firing", "group", "hostile", "60 hostile"]
)


@every_message
def test_slack_takes_every_message(message):
    body = slack_payload(RENDERER.title(message), RENDERER.body(message, "slack"), facts_of(message).alerts[0])
    assert len(body["blocks"]) <= BLOCK_LIMIT
    assert 0 < len(body["blocks"][0]["text"]["text"]) <= HEADER_LIMIT
    for block in body["blocks"][1:]:
        if block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= SECTION_LIMIT
            assert block["text"]["verbatim"] is True
        else:
            assert 0 < len(block["elements"]) <= 25
            for button in block["elements"]:
                assert len(button["text"]["text"]) <= 75
                assert len(button["url"]) <= 3000
                assert button["url"].startswith("https://")
    json.dumps(body).encode()


def test_slack_gets_paragraphs_cut_at_lines_and_lines_without_half_a_link():
    assert sections("a\n\n\n\nb\n\n", 9) == ["a", "b"]
    assert sections("a\n\nb\n\nc\n\nd", 3) == ["a", "b", "2 more paragraphs do not fit here."]
    first, second = sections("\n".join(["x" * 2000, "y" * 2000]), 9)
    assert (first, second) == ("x" * 2000, "y" * 2000)
    (line,) = sections("x" * 2990 + " <https://nl.example/a-long-way|Evidence>", 9)
    assert line == "x" * 2990 + "…"
    (line,) = sections("x" * 2996 + "&amp; and more", 9)
    assert line == "x" * 2996 + "…"


@every_message
def test_teams_takes_every_message(message):
    title = RENDERER.title(message)
    body = teams_request(title, RENDERER.body(message, "markdown"), facts_of(message).alerts[0])
    assert len(body) <= SIZE_LIMIT
    card = json.loads(body)["attachments"][0]["content"]
    assert len(card["actions"]) <= 6
    assert all(action["url"].startswith("https://") for action in card["actions"])
    assert len(card["body"]) > 1


def test_teams_is_told_how_much_does_not_fit():
    first = facts_of(FIRING).alerts[0]
    card = json.loads(teams_request("t", "\n\n".join(["x" * 10_000] * 4), first))["attachments"][0]["content"]
    assert [block.get("text", "")[:40] for block in card["body"][1:]] == [
        "x" * 40, "x" * 40, "2 more paragraphs do not fit here."
    ]  # fmt: skip


@every_message
def test_pagerduty_takes_every_event(message):
    for alert in message.alerts:
        made = event(alert, "key")
        assert len(json.dumps(made).encode()) <= 512_000
        assert 0 < len(made["dedup_key"]) <= 255
        if made["event_action"] == "trigger":
            assert 0 < len(made["payload"]["summary"]) <= 1024
            assert made["payload"]["severity"] in {"critical", "error", "warning", "info"}
            assert made["payload"]["source"]


def test_pagerduty_resolves_the_incident_that_it_has_triggered():
    triggered, resolved = event(FIRING.alerts[0], "key"), event(RESOLVED.alerts[0], "key")
    assert (triggered["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert triggered["dedup_key"] == resolved["dedup_key"] == FIRING.alerts[0].transition.alert_id


def _pager(peer):
    return PagerDutyChannel("ops/pager", "key", url=peer.url("/v2/enqueue"), guard=ANYWHERE)


def _keys(peer):
    return [json.loads(request.body)["dedup_key"] for request in peer.requests]


def test_an_attempt_that_ends_half_way_is_repeated_with_the_same_events():
    wanted = [alert.transition.alert_id for alert in GROUP.alerts]
    with http_peer() as peer:

        def second_fails(connection, stopped):
            connection.sendall(answer(500) if len(peer.requests) == 2 else OK)

        peer.answer = second_fails
        with pytest.raises(ChannelError) as caught:
            _pager(peer).send(GROUP)
        assert not caught.value.permanent
        assert _keys(peer) == wanted[:2]
        _pager(peer).send(GROUP)
        assert _keys(peer) == [*wanted[:2], *wanted]
        assert peer.requests[0].body == peer.requests[2].body


def test_an_event_that_is_refused_does_not_keep_the_others_from_being_sent():
    with http_peer() as peer:
        peer.answer = lambda connection, stopped: connection.sendall(answer(400) if len(peer.requests) == 1 else OK)
        with pytest.raises(ChannelError, match=r"answered 400 \(1 of 3 events\)") as caught:
            _pager(peer).send(GROUP)
        assert caught.value.permanent
        assert len(peer.requests) == 3


@every_message
def test_a_webhook_gets_every_message_whole(message):
    payload = json.loads(build_payload(message).to_json())
    assert len(payload["alerts"]) == len(message.alerts)
    for told, alert in zip(payload["alerts"], message.alerts, strict=True):
        assert told["labels"].keys() == alert.labels.keys()
        assert "" not in told["annotations"].values()
