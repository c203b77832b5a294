r"""Regular expressions as RE2 writes them, read into a tree.

Read: literals, `.`, classes, `\d \s \w` and their opposites, groups, `|`, `* + ? {n,m}`, `^ $ \A \z`, and `(?i)` at
the start. What RE2 refuses is refused, and so is `\b`, `\p{..}` and flags in the middle, which labels do not need.
"""

from typing import Final

from alerts.errors import InvalidMatcher
from alerts.pattern_tree import Char, Choice, Edge, Node, Ranges, Repeat, Sequence

LONGEST: Final = 1000
DEEPEST: Final = 30
MOST_REPEATS: Final = 1000
_LAST: Final = 0x10FFFF
_NEWLINE: Final = ((10, 10),)
_DIGIT: Final = ((48, 57),)
_SPACE: Final = ((9, 10), (12, 13), (32, 32))
_WORD: Final = ((48, 57), (65, 90), (95, 95), (97, 122))
_SETS: Final = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
_NAMED: Final = {
    "alpha": ((65, 90), (97, 122)),
    "digit": _DIGIT,
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "lower": ((97, 122),),
    "upper": ((65, 90),),
    "space": ((9, 13), (32, 32)),
    "word": _WORD,
}
_CONTROL: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}


def parse(pattern: str) -> Node:
    """Return the tree of *pattern*.

    Raises:
        InvalidMatcher: it cannot be read; the message tells the column and what to write.
    """
    if len(pattern) > LONGEST:
        raise InvalidMatcher(
            f"the regular expression {pattern[:40] + '…'!r} has {len(pattern)} characters, more than {LONGEST}; "
            "write several matchers, or match another label"
        )
    return _Parser(pattern).whole()


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._fold = pattern.startswith("(?i)")
        self._at = 4 if self._fold else 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._at < len(self._pattern):
            raise self._error("a ) closes nothing; write \\)")
        return node

    def _choice(self) -> Node:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        parts = []
        while self._next not in ("", "|", ")"):
            parts.append(self._repeated())
        return Sequence(tuple(parts))

    def _repeated(self) -> Node:
        node = self._atom()
        bounds = self._bounds()
        if bounds is None:
            return node
        self._take("?")  # matches alike: only whether the whole text matches is asked
        if self._bounds() is not None:
            raise self._error("one repetition follows another; group the first as in (?:a*)*")
        return Repeat(node, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        """Take a repetition and return its bounds; None where there is none."""
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if self._next in simple:
            return simple[self._step()]
        end = self._pattern.find("}", self._at)
        if self._next != "{" or end < 0:
            return None
        least, comma, most = self._pattern[self._at + 1 : end].partition(",")
        if not _is_count(least) or (most and not _is_count(most)):
            return None  # RE2 takes a brace that counts nothing as it stands
        low, high = int(least), int(most) if most else None if comma else int(least)
        if max(low, high or 0) > MOST_REPEATS or (high is not None and high < low):
            raise self._error(f"the repetition {self._pattern[self._at : end + 1]} must go from 0 up to {MOST_REPEATS}")
        self._at = end + 1
        return low, high

    def _atom(self) -> Node:
        character = self._step()
        if character in ("^", "$"):
            return Edge(start=character == "^")
        match character:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                self._at -= 1
                raise self._error(f"{character} repeats nothing; write \\{character} for it, or .* for any text")
        return Char(_NEWLINE, negated=True) if character == "." else self._literal(character)

    def _group(self) -> Node:
        if self._take("?") and not self._take(":") and not self._name():
            raise self._error("only (?:…) and (?P<name>…) groups, and (?i) at the start, are read; leave this out")
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"groups lie more than {DEEPEST} deep; write it flatter")
        node = self._choice()
        if not self._take(")"):
            raise self._error("a group is not closed; add )")
        self._depth -= 1
        return node

    def _name(self) -> bool:
        end = self._pattern.find(">", self._at)
        start = next((mark for mark in ("P<", "<") if self._pattern.startswith(mark, self._at)), "")
        if not start or not self._pattern[self._at + len(start) : max(end, 0)].isidentifier():
            return False
        self._at = end + 1
        return True

    def _escape(self) -> Node:
        character = self._step()
        if character == "":
            raise self._error("it ends with a backslash; write \\\\ for the character")
        if character.lower() in _SETS:
            return Char(_SETS[character.lower()], negated=character.isupper())
        if character in "Az":
            return Edge(start=character == "A")
        return self._literal(self._plain(character))

    def _plain(self, character: str) -> str:
        """Return the character that an escaped *character* stands for."""
        if character == "x":
            return self._hex()
        if character in _CONTROL:
            return _CONTROL[character]
        if character.isascii() and character.isalnum():
            self._at -= 1
            raise self._error(f"\\{character} is not read here; leave the backslash out, or write \\x{{…}}")
        return character

    def _hex(self) -> str:
        end = self._pattern.find("}", self._at)
        braced = self._take("{") and end > 0
        digits = self._pattern[self._at : end] if braced else self._pattern[self._at : self._at + 2]
        self._at = end + 1 if braced else self._at + 2
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError):
            raise self._error(f"\\x{digits} is no character; write two hexadecimal digits, or \\x{{20ac}}") from None

    def _class(self) -> Node:
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self._next != "]":
            if self._next == "":
                raise self._error("a class is not closed; add ]")
            ranges += self._member()
            first = False
        self._step()
        return Char(tuple(ranges), negated=negated, fold=self._fold)

    def _member(self) -> Ranges:
        if self._pattern.startswith("[:", self._at):
            return self._named()
        if self._next == "\\" and self._pattern[self._at + 1 : self._at + 2].lower() in _SETS:
            self._step()
            letter = self._step()
            ranges = _SETS[letter.lower()]
            return _outside(ranges) if letter.isupper() else ranges
        low = self._bound()
        follows = self._pattern[self._at + 1 : self._at + 2]
        if self._next != "-" or follows in ("]", ""):
            return ((low, low),)
        self._step()
        high = self._bound()
        if high < low:
            raise self._error(f"the range {chr(low)}-{chr(high)} runs backwards; write {chr(high)}-{chr(low)}")
        return ((low, high),)

    def _named(self) -> Ranges:
        end = self._pattern.find(":]", self._at)
        name = self._pattern[self._at + 2 : max(end, 0)]
        ranges = _NAMED.get(name.removeprefix("^"))
        if ranges is None:
            raise self._error(f"unknown class [:{name[:20]}:]; known: {', '.join(_NAMED)}")
        self._at = end + 2
        return _outside(ranges) if name.startswith("^") else ranges

    def _bound(self) -> int:
        character = self._step()
        if character == "\\":
            escaped = self._step()
            if escaped == "":
                raise self._error("it ends with a backslash; write \\\\ for the character")
            character = self._plain(escaped)
        return ord(character)

    def _literal(self, character: str) -> Char:
        return Char(((ord(character), ord(character)),), fold=self._fold)

    @property
    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _step(self) -> str:
        character = self._next
        self._at += len(character)
        return character

    def _take(self, text: str) -> bool:
        found = self._next == text
        self._at += found
        return found

    def _error(self, reason: str) -> InvalidMatcher:
        place = f"the regular expression {self._pattern!r} cannot be read at character {self._at}"
        return InvalidMatcher(f"{place}: {reason}")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def _outside(ranges: Ranges) -> Ranges:
    """Return all but *ranges*, of which none begins at 0 or where another ends."""
    found, start = [], 0
    for first, last in sorted(ranges):
        found.append((start, first - 1))
        start = last + 1
    return (*found, (start, _LAST))
