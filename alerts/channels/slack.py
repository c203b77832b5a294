"""Delivery to Slack: an incoming webhook that gets blocks.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks, 3,000 characters a section, 150 a header).
"""

import json
from typing import Any, Final

from alerts.channels.rendered_post import RenderedPostChannel
from alerts.escaping import escape_slack
from alerts.facts import AlertFacts, facts_of
from alerts.message import Message
from alerts.plain_text import cut, one_line

HEADER_LIMIT: Final = 150
SECTION_LIMIT: Final = 3000
BLOCK_LIMIT: Final = 50
_BUTTON_LIMIT: Final = 75
_ACTIONS: Final = 5


class SlackChannel(RenderedPostChannel):
    """POSTs a message as Block Kit to the incoming webhook *url*, whose path is its secret.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def send(self, message: Message) -> None:
        """Deliver *message*.

        Raises:
            ChannelError: Slack could not be reached or refused it.
        """
        title = self._renderer.title(message)
        body = slack_payload(title, self._renderer.body(message, "slack"), facts_of(message).alerts[0])
        self._post.send(json.dumps(body).encode(), {"Idempotency-Key": message.idempotency_key})


def slack_payload(title: str, body: str, first: AlertFacts) -> dict[str, Any]:
    """Return the request of a message; `text` is what a phone shows of it before it is opened.

    Every text is verbatim: Slack must not make links or calls of names in it.
    """
    header = {"type": "header", "text": {"type": "plain_text", "text": one_line(title, HEADER_LIMIT), "emoji": False}}
    buttons = [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": one_line(link.title, _BUTTON_LIMIT), "emoji": False},
            "url": link.url,
            "action_id": f"link_{number}",
        }
        for number, link in enumerate(first.links[:_ACTIONS], 1)
    ]
    actions = [{"type": "actions", "elements": buttons}] if buttons else []
    texts = sections(body, BLOCK_LIMIT - 1 - len(actions))
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}} for text in texts]
    # the buttons of the first alert stand under it, not under the last of a long group
    return {"text": escape_slack(title), "blocks": [header, *blocks[:1], *actions, *blocks[1:]]}


def sections(body: str, limit: int) -> list[str]:
    """Return *body* as at most *limit* texts that a section block takes, one a paragraph; links are not cut apart."""
    paragraphs = [text for text in body.split("\n\n") if text.strip()]
    parts = [part for paragraph in paragraphs for part in _parts(paragraph)]
    if len(parts) > limit:
        left = len(parts) - limit + 1
        parts = [*parts[: limit - 1], f"{left} more paragraphs do not fit here."]
    return parts


def _parts(paragraph: str) -> list[str]:
    """Return *paragraph* in parts of whole lines; a line that fits nowhere is cut."""
    parts = [""]
    for line in paragraph.strip("\n").split("\n"):
        fitting = line if len(line) <= SECTION_LIMIT else _cut_line(line)
        joined = f"{parts[-1]}\n{fitting}" if parts[-1] else fitting
        if len(joined) <= SECTION_LIMIT:
            parts[-1] = joined
        else:
            parts.append(fitting)
    return parts


def _cut_line(line: str) -> str:
    """Return *line* cut, without the half of a link or of an escape that the cut would leave."""
    kept = cut(line, SECTION_LIMIT)
    for opening, closing in (("<", ">"), ("&", ";")):
        at = kept.rfind(opening)
        if at > kept.rfind(closing):
            kept = f"{kept[:at].rstrip()}…"
    return kept
