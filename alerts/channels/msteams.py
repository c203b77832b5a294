"""Delivery to Microsoft Teams: a Workflows webhook that gets an Adaptive Card.

Limit: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors (28 kB a message).
"""

import json
from typing import Any, Final

from alerts.channels.rendered_post import RenderedPostChannel
from alerts.escaping import escape_markdown
from alerts.facts import AlertFacts, facts_of
from alerts.message import Message

SIZE_LIMIT: Final = 28_000
_ACTIONS: Final = 5
_STYLES: Final = {"PAGE": "attention", "TICKET": "warning", "RESOLVED": "good"}


class MsTeamsChannel(RenderedPostChannel):
    """POSTs a message as an Adaptive Card to the Workflows webhook *url*, whose path and query are its secret.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def send(self, message: Message) -> None:
        """Deliver *message*.

        Raises:
            ChannelError: Teams could not be reached or refused it.
        """
        title = self._renderer.title(message)
        body = teams_request(title, self._renderer.body(message, "markdown"), facts_of(message).alerts[0])
        self._post.send(body, {"Idempotency-Key": message.idempotency_key})


def teams_request(title: str, body: str, first: AlertFacts) -> bytes:
    """Return the request of a message, with as many paragraphs of *body* as its limit of size allows."""
    paragraphs = [text for text in body.split("\n\n") if text.strip()]
    for kept in range(len(paragraphs), -1, -1):
        left = len(paragraphs) - kept
        shown = [*paragraphs[:kept], *([f"{left} more paragraphs do not fit here."] if left else [])]
        request = json.dumps(_request(title, shown, first)).encode()
        if len(request) <= SIZE_LIMIT:
            break
    return request


def _request(title: str, paragraphs: list[str], first: AlertFacts) -> dict[str, Any]:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": title,
        "body": [
            {
                "type": "Container",
                "style": _STYLES[first.tag],
                "items": [_text(escape_markdown(title), weight="bolder", size="medium")],
            },
            *[_text(paragraph) for paragraph in paragraphs],
        ],
        "actions": [
            {"type": "Action.OpenUrl", "title": link.title, "url": link.url} for link in first.links[:_ACTIONS]
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **style}
