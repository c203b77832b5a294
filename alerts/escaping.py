"""Texts that others wrote, made harmless in the language of each medium."""

import html
import re
from collections.abc import Callable
from typing import Final, Literal

Format = Literal["text", "slack", "html", "markdown"]

# a zero-width space keeps a group from being called, and the name readable
_CALL: Final = re.compile(r"@(?=channel|here|everyone|all\b|group\b)", re.IGNORECASE)
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>~|])")
_MARKDOWN_START: Final = re.compile(r"^(\s*\d*)([#+.)-])(?=\s)")
_URL: Final = re.compile(r"https?://[^\s<>\"'|`()\[\]\\]+", re.IGNORECASE)


def escape_text(text: str) -> str:
    """Return *text* without calls to groups: some chats look for them even in plain text."""
    return _CALL.sub("@\u200b", text)


def escape_slack(text: str) -> str:
    """Return *text* for mrkdwn, where only these three characters have escapes; `<!channel>` needs one of them.

    Source: https://docs.slack.dev/messaging/formatting-message-text/#escaping
    """
    return escape_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_markdown(text: str) -> str:
    r"""Return *text* for CommonMark and its subset in Teams.

    >>> escape_markdown("*a* [b](c) <at>x</at>")
    '\\*a\\* \\[b\\](c) \\<at\\>x\\</at\\>'
    """
    escaped = _MARKDOWN.sub(r"\\\1", escape_text(text).replace("&", "&amp;"))
    return _MARKDOWN_START.sub(r"\1\\\2", escaped)


ESCAPES: Final[dict[Format, Callable[[str], str]]] = {
    "text": escape_text,
    "slack": escape_slack,
    "html": html.escape,
    "markdown": escape_markdown,
}


def link(form: Format, title: str, url: str) -> str:
    """Return a link in the language *form*; an address that is none that a browser opens gives the title alone."""
    shown = ESCAPES[form](title)
    if not is_web_address(url):
        return shown
    match form:
        case "slack":
            return f"<{url.replace('&', '&amp;')}|{shown.replace('|', '/')}>"
        case "html":
            return f'<a href="{html.escape(url)}">{shown}</a>'
        case "markdown":
            return f"[{shown}](<{url}>)" if "&" in url else f"[{shown}]({url})"
        case "text":  # pragma: no branch -- every format is above
            return f"{shown}: {url}"


def is_web_address(url: str) -> bool:
    """Return whether *url* is a whole http(s) address, and cannot end a link early in any medium."""
    return _URL.fullmatch(url) is not None
