"""Matchers of labels as Alertmanager writes them: `name="value"`, `!=`, `=~`, `!~`.

Format: https://prometheus.io/docs/alerting/latest/configuration/#matcher. A label that is not there is the same as one
with an empty value, and a regular expression must match the whole value (`alerts.pattern` says what it may hold).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, cast, get_args

from alerts.errors import InvalidMatcher
from alerts.pattern import Pattern

Operator = Literal["=", "!=", "=~", "!~"]
LONGEST_VALUE: Final = 1024
_MATCHER: Final = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.ASCII | re.DOTALL)
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_ESCAPES: Final = {"n": "\n", '"': '"', "\\": "\\"}
_EXAMPLE: Final = 'write name="value", or with != , =~ , !~'


@dataclass(frozen=True, slots=True)
class Matcher:
    """Compares one label with a value.

    Raises:
        InvalidMatcher: the name, the operator or the regular expression cannot be used.
    """

    name: str
    operator: Operator
    value: str
    _pattern: Pattern | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise InvalidMatcher(f"label name {self.name[:80]!r} must be letters, digits and _; write it with _")
        if self.operator not in get_args(Operator):
            raise InvalidMatcher(f"{self.operator!r} compares nothing; use =, !=, =~ or !~")
        if len(self.value) > LONGEST_VALUE:
            raise InvalidMatcher(
                f"the value of {self.name} has {len(self.value)} characters, more than {LONGEST_VALUE}; "
                "match a shorter label"
            )
        if self.operator in ("=~", "!~"):
            object.__setattr__(self, "_pattern", _compiled(self.value))

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.name, "")
        found = value == self.value if self._pattern is None else self._pattern.matches(value)
        return found != self.operator.startswith("!")

    def text(self) -> str:
        """Return it as it is written; `parse_matcher` reads it back."""
        return f"{self.name}{self.operator}{quoted(self.value)}"


def quoted(value: str) -> str:
    """Return *value* as it stands in a matcher."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@lru_cache(maxsize=256)
def _compiled(expression: str) -> Pattern:
    """Return the pattern of *expression*; what it has learned of texts is kept while silences are read again."""
    return Pattern(expression)


def match_all(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Return whether every one of *matchers* matches *labels*."""
    return all(matcher.matches(labels) for matcher in matchers)


def parse_matcher(text: str) -> Matcher:
    r"""Return the matcher that *text* writes, its value quoted or not.

    Raises:
        InvalidMatcher: it cannot be read; the message shows the text and what to write.

    >>> parse_matcher('severity = page').text(), parse_matcher(r'title=~"a\\.b|\"c\""').value
    ('severity="page"', 'a\\.b|"c"')
    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise InvalidMatcher(f"{_shown(text)} is no matcher; {_EXAMPLE}")
    name, operator, value = found.groups()
    try:
        return Matcher(name, cast("Operator", operator), _value(value, text))
    except InvalidMatcher as error:
        raise InvalidMatcher(f"{_shown(text)}: {error}") from error


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the matchers of *text*, separated by commas, in braces or not.

    Raises:
        InvalidMatcher: one of them cannot be read, or there is none.

    >>> [matcher.text() for matcher in parse_matchers('{severity="page", service_name=~"a,b"}')]
    ['severity="page"', 'service_name=~"a,b"']
    """
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise InvalidMatcher(f'{_shown(text)} has a brace without the other; write {{a="b", c="d"}} or leave both out')
    pieces = _pieces(inner[1:-1] if inner.startswith("{") else inner)
    if not pieces:
        raise InvalidMatcher(f"{_shown(text)} holds no matcher; {_EXAMPLE}")
    return tuple(parse_matcher(piece) for piece in pieces)


def _pieces(text: str) -> list[str]:
    """Split at the commas that stand outside of quotes; one at the end is allowed."""
    pieces, start, quoted, escaped = [], 0, False, False
    for index, character in enumerate(text):
        if character == "," and not quoted:
            pieces.append(text[start:index])
            start = index + 1
        quoted ^= character == '"' and not escaped
        escaped = character == "\\" and not escaped
    last = text[start:]
    return [*pieces, last] if last.strip() else pieces


def _value(written: str, text: str) -> str:
    if not written.startswith('"'):
        return _unescaped(written, text)
    if len(written) < 2 or not written.endswith('"'):
        raise InvalidMatcher('a quote is not closed; end the value with "')
    return _unescaped(written[1:-1], text)


def _unescaped(written: str, text: str) -> str:
    found, escaped = [], False
    for character in written:
        if escaped:
            # an escape that is none stands as it is written, so that \d or \. need no second backslash
            found.append(_ESCAPES.get(character, "\\" + character))
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            raise InvalidMatcher(f'a quote stands inside of the value; write \\" in {_shown(text)}')
        else:
            found.append(character)
    if escaped:
        raise InvalidMatcher(f"the value of {_shown(text)} ends with a backslash; write \\\\ for the character")
    return "".join(found)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:120] + "…")
