"""The words of the predicate language."""

import math
import re
from dataclasses import dataclass
from typing import Final, Literal

from slo.errors import PredicateError
from slo.predicate import KEYWORDS, LARGEST_INT, PLAIN_NAME, LiteralValue

TokenKind = Literal["name", "keyword", "literal", "operator", "bracket", "comma", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `value` is the literal's value, the name without quotes, or the word itself."""

    kind: TokenKind
    value: LiteralValue
    column: int
    text: str


_PATTERN: Final = re.compile(
    rf"""(?P<space>\s+)
    | (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<quoted>`(?:[^`\\]|\\.)*`)
    | (?P<word>{PLAIN_NAME.pattern})
    | (?P<operator><=|>=|!=|=(?!=)|<(?!>)|>)
    | (?P<bracket>[()\[\]])
    | (?P<comma>,)""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_REMEDIES: Final = (
    ("==", "write = for equality"),
    ("<>", "write != for inequality"),
    ("&&", "write and"),
    ("||", "write or"),
    ("!", "write not"),
    ('"', "the string is not closed"),
    ("'", "the string is not closed"),
    ("`", "the quoted name is not closed"),
    ("~", "there is no pattern matching; list the values with in (...)"),
)
_PUNCTUATION: Final[dict[str, TokenKind]] = {"operator": "operator", "bracket": "bracket", "comma": "comma"}
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/"}


def tokens(text: str) -> list[Token]:
    """Return the words of *text* and a final "end".

    Raises:
        PredicateError: a character that starts no word, or a literal that cannot be held exactly.
    """
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise PredicateError(_unreadable(text[position:]), position + 1)
        if match.lastgroup != "space":
            found.append(_token(match, position + 1))
        position = match.end()
    found.append(Token("end", "", len(text) + 1, "the end"))
    return found


def _token(match: re.Match[str], column: int) -> Token:
    text = match.group()
    match match.lastgroup:
        case "number":
            return Token("literal", _number(text, column), column, text)
        case "string":
            return Token("literal", _unescape(text[1:-1], column), column, text)
        case "quoted":
            return Token("name", _quoted_name(text, column), column, text)
        case "word":
            return _word(text, column)
        case group:
            return Token(_PUNCTUATION[str(group)], text, column, text)


def _word(text: str, column: int) -> Token:
    word = text.lower()
    if word in ("true", "false"):
        return Token("literal", word == "true", column, text)
    if word in KEYWORDS:
        return Token("keyword", word, column, text)
    return Token("name", text, column, text)


def _quoted_name(text: str, column: int) -> str:
    name = _unescape(text[1:-1], column)
    if not name:
        raise PredicateError("a quoted name cannot be empty; write an attribute name between the backticks", column)
    return name


def _number(text: str, column: int) -> int | float:
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return _integer(text, column)
    number = float(text)
    if not math.isfinite(number):
        raise PredicateError(f"{text} is too large for a number; write one below 1.8e308", column)
    # 300.0 and 300 compare alike with every attribute, so they are one literal
    return int(number) if number.is_integer() and abs(number) <= LARGEST_INT else number


def _integer(text: str, column: int) -> int:
    number = int(text) if len(text) <= 20 else LARGEST_INT + 1
    if not -LARGEST_INT - 1 <= number <= LARGEST_INT:
        raise PredicateError(f"{text} does not fit in 64 bits, as integer attributes do; write {text}.0", column)
    return number


def _unescape(body: str, column: int) -> str:
    try:
        text = _ESCAPE.sub(_escaped, body)
    except KeyError as error:
        raise PredicateError(f"unknown escape \\{error.args[0]}; write \\\\ for a backslash", column) from error
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")  # joins the pairs that \u escapes spell
    except UnicodeDecodeError as error:
        raise PredicateError("half a surrogate pair is no character; write both halves", column) from error


def _escaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPED[code]


def _unreadable(rest: str) -> str:
    for start, remedy in _REMEDIES:
        if rest.startswith(start):
            return f"cannot read {rest[:12]!r}; {remedy}"
    return f"cannot read {rest[:12]!r}; expected a name, a literal, an operator or a parenthesis"
