"""The words of a PromQL expression."""

import re
from dataclasses import dataclass
from typing import Final

from slo.errors import SloError

WINDOW: Final = "{{.window}}"  # the placeholder that Sloth replaces with each of its windows

_WINDOW_FORM: Final = re.compile(r"\{\{\s*\.window\s*\}\}")
_FORMS: Final = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z_0-9]))
    |(?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+)
    |(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |\[(?P<range>[^\[\]]*)\]
    |(?P<op>=~|!~|==|!=|<=|>=|[=<>+\-*/%^(){},@])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}


class PromqlError(SloError):
    """PromQL that cannot be read. `column` counts from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, duration, name, text (unquoted), range (without brackets), op or end."""

    kind: str
    text: str
    column: int


def tokens(text: str) -> list[Token]:
    """Return the words of *text* and one of kind "end"; `[{{ .window }}]` is a range of `WINDOW`.

    Raises:
        PromqlError: a character or an escape that PromQL does not have here.
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _FORMS.match(text, at)
        if match is None:
            raise PromqlError(f"{text[at]!r} is not read here", at + 1)
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, _value(kind, match[kind], at + 1), at + 1))
        at = match.end()
    return [*found, Token("end", "", len(text) + 1)]


def _value(kind: str, text: str, column: int) -> str:
    if kind == "range":
        return WINDOW if _WINDOW_FORM.fullmatch(text.strip()) else text.strip()
    if kind != "text":
        return text
    if text[0] == "`":
        return text[1:-1]

    def plain(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPED:
            raise PromqlError(f"the escape {match[0]} is not read here", column)
        return _ESCAPED[match[1]]

    return _ESCAPE.sub(plain, text[1:-1])
