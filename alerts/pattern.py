"""Whether a whole text matches a regular expression, in time that grows with the text and no faster.

Python's own `re` goes back and tries again, so that `(a+)+b` takes longer than the universe on forty letters. Here all
ways through the expression are followed at once, as RE2 does it: a text of n characters costs at most n times the steps
of the expression. Source: R. Cox, "Regular Expression Matching Can Be Simple And Fast", 2007.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from alerts.errors import InvalidMatcher
from alerts.pattern_syntax import parse
from alerts.pattern_tree import Char, Choice, Edge, Node, Repeat, Sequence

MOST_STEPS: Final = 1000
LONGEST_TEXT: Final = 1024
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class _Fork:
    """Goes on at each of `targets`."""

    targets: tuple[int, ...]


_Step: TypeAlias = Char | Edge | _Fork
_States: TypeAlias = frozenset[int]


@dataclass(slots=True)
class _Program:
    """Steps of an expression; one past the last is the end, where it has matched."""

    steps: list[_Step] = field(default_factory=list)

    def add(self, node: Node) -> None:
        match node:
            case Char() | Edge():
                self.steps.append(node)
            case Sequence(parts):
                for part in parts:
                    self.add(part)
            case Choice(options):
                self._add_choice(options)
            case Repeat(part, least, most):
                for _ in range(least):
                    self.add(part)
                if most is None:
                    self._add_loop(part)
                else:
                    self._add_optional(part, most - least)

    def _add_choice(self, options: tuple[Node, ...]) -> None:
        fork = self._gap()
        starts, ends = [], []
        for option in options:
            starts.append(len(self.steps))
            self.add(option)
            ends.append(self._gap())
        self.steps[fork] = _Fork(tuple(starts))
        for end in ends:
            self.steps[end] = _Fork((len(self.steps),))

    def _add_loop(self, part: Node) -> None:
        fork = self._gap()
        self.add(part)
        self.steps.append(_Fork((fork,)))
        self.steps[fork] = _Fork((fork + 1, len(self.steps)))

    def _add_optional(self, part: Node, times: int) -> None:
        forks = []
        for _ in range(times):
            forks.append(self._gap())
            self.add(part)
        for fork in forks:
            self.steps[fork] = _Fork((fork + 1, len(self.steps)))

    def _gap(self) -> int:
        self.steps.append(_Fork(()))
        return len(self.steps) - 1


class Pattern:
    """A regular expression that must match a whole text. What cannot be read or is too large raises InvalidMatcher."""

    def __init__(self, text: str) -> None:
        tree = parse(text)
        if _size(tree) > MOST_STEPS:
            raise InvalidMatcher(
                f"the regular expression {text!r} repeats so much that it has {_size(tree)} steps, "
                f"more than {MOST_STEPS}; write fewer or smaller repetitions"
            )
        program = _Program()
        program.add(tree)
        self._steps = tuple(program.steps)
        self._start = self._reach(frozenset({0}), at_start=True)
        self._moves: dict[tuple[_States, str], _States] = {}

    def matches(self, text: str) -> bool:
        """Return whether all of *text* matches; of one that is longer than 1,024 characters, its beginning is taken."""
        states = self._start
        for character in text[:LONGEST_TEXT]:
            states = self._move(states, character)
            if not states:
                return False
        return len(self._steps) in self._reach(states, at_start=not text, at_end=True)

    def _move(self, states: _States, character: str) -> _States:
        known = self._moves.get((states, character))
        if known is None:
            known = self._follow(states, character)
            if len(self._moves) >= _REMEMBERED:
                self._moves = {}
            self._moves[states, character] = known
        return known

    def _follow(self, states: _States, character: str) -> _States:
        ends = len(self._steps)
        read = (index for index in states if index < ends)
        return self._reach(
            frozenset(
                index + 1 for index in read if isinstance(step := self._steps[index], Char) and step.matches(character)
            )
        )

    def _reach(self, states: _States, *, at_start: bool = False, at_end: bool = False) -> _States:
        """Return *states* and all that are reached from them without reading a character."""
        found, waiting = set(states), list(states)
        while waiting:
            index = waiting.pop()
            if index == len(self._steps):
                continue
            match self._steps[index]:
                case _Fork(targets):
                    more: tuple[int, ...] = targets
                case Edge(start) if at_start if start else at_end:
                    more = (index + 1,)
                case _:
                    more = ()
            waiting += [target for target in more if target not in found]
            found.update(more)
        return frozenset(found)


def _size(node: Node) -> int:
    """Return how many steps *node* takes, before it is written out: repetitions multiply."""
    match node:
        case Sequence(parts):
            return sum(map(_size, parts))
        case Choice(options):
            return 1 + sum(1 + _size(option) for option in options)
        case Repeat(part, least, most):
            extra = 2 + _size(part) if most is None else (most - least) * (1 + _size(part))
            return least * _size(part) + extra
        case _:
            return 1
