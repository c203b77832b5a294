"""HTML that is safe by construction: every string is escaped, unless this module made it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import urlencode

Tone = Literal["good", "warn", "bad", "none", "info"]
_SPARK_WIDTH = 110
_SPARK_HEIGHT = 24


class Markup(str):
    """A piece of finished HTML."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A state as icon, word and colour: never by colour alone."""

    icon: str
    word: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    numeric: bool = False


def safe(content: str) -> Markup:
    """Return *content* as HTML: escaped if it is plain text."""
    return content if isinstance(content, Markup) else Markup(escape(content))


def escape_markdown(text: str) -> str:
    r"""Return *text* for Streamlit's headings and messages, which would else draw links and images found in it.

    >>> print(escape_markdown("![x](http://a/b) :red[c]"))
    \!\[x\]\(http\://a/b\) \:red\[c\]
    """
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()<>#$|~:!&" else letter for letter in text)


def join(parts: Iterable[str], separator: str = "") -> Markup:
    """Return the parts one after another."""
    return Markup(safe(separator).join(safe(part) for part in parts))


def tag(name: str, *content: str, css: str = "", **attributes: str) -> Markup:
    """Return an element; an underscore in an attribute's name stands for a hyphen."""
    named = ({"class": css} if css else {}) | {key.rstrip("_").replace("_", "-"): v for key, v in attributes.items()}
    written = "".join(f' {key}="{escape(value)}"' for key, value in named.items())
    return Markup(f"<{name}{written}>{join(content)}</{name}>")


def page_href(page: str, **query: str) -> str:
    """Return the relative address of a page of this dashboard; empty values are left out."""
    given = {key: value for key, value in query.items() if value}
    return f"{page}?{urlencode(given)}" if given else page


def link(href: str, *content: str, css: str = "") -> Markup:
    """Return a link to *href*, an address that the code (not the data) chose."""
    return tag("a", *content, css=css, href=href)


def chip(look: Look) -> Markup:
    """Return a state's badge."""
    icon = tag("span", look.icon, aria_hidden="true")
    return tag("span", icon, " ", look.word, css=f"nl-chip nl-{look.tone}")


def flag(word: str, title: str) -> Markup:
    """Return a small neutral mark with an explanation on hover."""
    return tag("span", word, css="nl-flag", title=title)


def muted(text: str) -> Markup:
    return tag("span", text, css="nl-muted")


def strong(text: str) -> Markup:
    return tag("strong", text)


def lines(*parts: str) -> Markup:
    """Return the parts that are not empty, each on its own line."""
    return Markup("<br>".join(safe(part) for part in parts if part))


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, caption: str) -> Markup:
    """Return a table; on a narrow screen each row becomes a card, so cells carry their column's name."""
    head = join(_head(column) for column in columns)
    body = join(tag("tr", *(_cell(column, cell) for column, cell in zip(columns, row, strict=True))) for row in rows)
    title = tag("caption", caption, css="nl-hidden")
    return tag("table", title, tag("thead", tag("tr", head)), tag("tbody", body), css="nl-table nl-cards")


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Return a list of names and values."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs), css="nl-facts")


def tile(label: str, value: str, note: str, tone: Tone, href: str = "") -> Markup:
    """Return a headline number with what it means below; the whole tile is a link where *href* is given."""
    parts = (tag("div", label, css="nl-label"), tag("div", value, css="nl-value"), tag("div", note, css="nl-note"))
    css = f"nl-tile nl-edge-{tone}"
    return link(href, *parts, css=css) if href else tag("div", *parts, css=css)


def grid(items: Iterable[str], css: str = "nl-tiles") -> Markup:
    return tag("div", *items, css=css)


def bar(share: float, tone: Tone, text: str) -> Markup:
    """Return a bar of *share* (0..1, clipped) with its number beside it."""
    width = min(max(share, 0.0), 1.0) * 100
    fill = tag("span", css=f"nl-fill nl-{tone}", style=f"width:{width:.1f}%")
    return tag("span", tag("span", fill, css="nl-bar", aria_hidden="true"), text, css="nl-barred")


def sparkline(values: Sequence[float | None], tone: Tone, said: str) -> Markup:
    """Return *values* as a small line from their least to their greatest, with gaps where one is None.

    Args:
        values: In the order of time; at least one is known.
        tone: Colour of the line.
        said: What a reader who does not see it is told.
    """
    known = [value for value in values if value is not None]
    highest, span = max(known), max(known) - min(known)
    step = _SPARK_WIDTH / max(len(values) - 1, 1)
    # flat at the top if nothing changes; 2 px are kept free for the width of the line
    room = (_SPARK_HEIGHT - 4) / span if span else 0.0
    heights = [None if value is None else 2 + (highest - value) * room for value in values]
    parts: list[str] = []
    for place, height in enumerate(heights):
        if height is None:
            continue
        begins = place == 0 or heights[place - 1] is None
        at = f"{place * step:.1f} {height:.1f}"
        # a day that stands alone is a dot: a line of no length with round ends
        parts.append(f"M{at}h0" if begins else f"L{at}")
    path = tag("path", d="".join(parts))
    box = f"-2 0 {_SPARK_WIDTH + 4} {_SPARK_HEIGHT}"
    return tag("svg", path, css=f"nl-spark nl-stroke-{tone}", viewBox=box, role="img", aria_label=said)


def _head(column: Column) -> Markup:
    return tag("th", column.label, css="nl-number" if column.numeric else "", scope="col")


def _cell(column: Column, cell: str) -> Markup:
    # the inner element keeps a cell's lines together where a narrow screen lays name and value side by side
    return tag("td", tag("div", cell), css="nl-number" if column.numeric else "", data_label=column.label)
