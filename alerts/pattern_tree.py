"""What a regular expression is made of."""

from dataclasses import dataclass
from typing import TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Char:
    """One character in one of `ranges` of code points, or in none of them; `fold` ignores case."""

    ranges: Ranges
    negated: bool = False
    fold: bool = False

    def matches(self, character: str) -> bool:
        forms = {character, character.lower(), character.upper()} if self.fold else {character}
        found = any(first <= ord(form) <= last for form in forms if len(form) == 1 for first, last in self.ranges)
        return found != self.negated


@dataclass(frozen=True, slots=True)
class Edge:
    """The start or the end of the text."""

    start: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`most` None is without end."""

    part: "Node"
    least: int
    most: int | None


Node: TypeAlias = Char | Edge | Sequence | Choice | Repeat
