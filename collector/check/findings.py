"""What the look at a request found, and how the client is told."""

from collections import Counter
from dataclasses import dataclass, field

SHOWN_CHARACTERS = 100


@dataclass(slots=True)
class Findings:
    """What one look found; the request was changed in place where something had to go.

    Attributes:
        noun: What the items are called.
        total: Items that came.
        left_out: How many items cannot be stored, by reason: a phrase that follows the number.
        first: Name of the first item that was left out, as the client sent it.
        warnings: What was altered in items that are kept, or will be shown otherwise than it was sent.
        changed: The request no longer holds what came.
        doubtful: Nothing in the request shows that it is of this signal.
    """

    noun: str
    total: int
    left_out: Counter[str] = field(default_factory=Counter)
    first: bytes = b""
    warnings: list[str] = field(default_factory=list)
    changed: bool = False
    doubtful: bool = False

    @property
    def rejected(self) -> int:
        return self.left_out.total()

    def leave_out(self, reason: str, name: bytes) -> None:
        self.first = self.first if self.left_out else name
        self.left_out[reason] += 1
        self.changed = True

    def message(self) -> str:
        """Return what the client should know; "" when everything is stored as it came."""
        lines = [f"{self.rejected:,} of {self.total:,} {self.noun} left out: {self.reasons()}"] if self.left_out else []
        return "; ".join(lines + self.warnings)

    def reasons(self) -> str:
        """Return the reasons with their counts, and the name of the first item that was left out."""
        counted = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        return f'{counted} (first: "{printable(self.first)}")' if self.first else counted


def counted(count: int, noun: str) -> str:
    """Return "1 span", "2,000 spans"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def printable(text: bytes) -> str:
    """Return the start of *text* in one line: what the client sent may hold anything."""
    decoded = text[: 4 * SHOWN_CHARACTERS].decode(errors="replace")[:SHOWN_CHARACTERS]
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in decoded)
