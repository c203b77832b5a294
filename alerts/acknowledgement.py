"""Somebody took an alert on: nobody needs to be reminded of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from alerts.errors import InvalidAlert

Via = Literal["command", "page", "link"]
LONGEST_TEXT: Final = 1024


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`via` is how it came. `token_digest` names the one-time link that was used, "" for the other ways.

    It holds for one episode: the id of the alert's next one is another.
    """

    alert_id: str
    at: datetime
    author: str
    comment: str
    via: Via
    token_digest: str = ""

    def __post_init__(self) -> None:
        for text, name in ((self.author, "author"), (self.comment, "comment")):
            if len(text) > LONGEST_TEXT:
                raise InvalidAlert(f"the {name} has {len(text)} characters, more than {LONGEST_TEXT}; write less")
        if not self.author.strip():
            raise InvalidAlert(f"acknowledging {self.alert_id!r} needs an author; write who takes it on")
