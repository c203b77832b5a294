"""What must not be kept of other people's journals: outputs hold whole HTTP answers, environments and keys. Pure."""

import re
from typing import Any

MARK = "[redacted]"
LONGEST_TEXT = 4000
MOST_ITEMS = 500

_SECRET_KEY = re.compile(
    r"passw|passphrase|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|authorization|cookie|session",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))"
    r"|(?P<ssh>\b(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S{1,40}) [A-Za-z0-9+/=]{20,})"
    r"|(?P<scheme>\b(?:Bearer|Basic) [A-Za-z0-9._~+/=-]{8,})"
    r"|(?P<userinfo>(?<=://)[^\s/@:]+:[^\s/@]+(?=@))"
    r"|(?P<aws>\bAKIA[0-9A-Z]{16}\b)",
    re.DOTALL,
)
_ENV_LINE = re.compile(r"^(?P<name>(?:export )?[A-Z][A-Z0-9_]{2,})=.+$", re.MULTILINE)
_ALL_HIDDEN = frozenset({"headers", "environ", "environment_variables", "env", "secrets"})  # whole mappings
_DECLARES = frozenset({"type", "key", "default", "path", "name"})


def redact(value: Any) -> Any:
    """Return *value*, as JSON, without secrets, header values, lines of an environment, and overlong texts.

    What was taken out is replaced by "[redacted]"; keys stay, so that it shows what was there.

    >>> redact({"headers": {"Server": "x"}, "status": 200, "out": "HOME=/root"})
    {'headers': {'Server': '[redacted]'}, 'status': 200, 'out': 'HOME=[redacted]'}
    """
    if isinstance(value, dict):
        return {key: _member(str(key), each) for key, each in value.items()}
    if isinstance(value, list):
        kept = [redact(each) for each in value[:MOST_ITEMS]]
        return kept if len(value) <= MOST_ITEMS else [*kept, f"[{len(value) - MOST_ITEMS} more left out]"]
    return _text(value) if isinstance(value, str) else value


def _member(key: str, value: Any) -> Any:
    if key.lower() in _ALL_HIDDEN and isinstance(value, dict):
        return _hidden(value)
    if _SECRET_KEY.search(key) and value not in (None, "", False, True) and not isinstance(value, dict):
        return MARK
    if _SECRET_KEY.search(key) and isinstance(value, dict):
        return _hidden(value)
    return redact(value)


def _hidden(value: Any) -> Any:
    """Only leaves go; a secret's declaration, such as where it lies, says nothing of its value and stays."""
    if isinstance(value, dict):
        declared = "type" in value and value.keys() <= _DECLARES
        return {
            key: each if declared and key != "default" and isinstance(each, str) else _hidden(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_hidden(each) for each in value[:MOST_ITEMS]]
    return value if value is None else MARK


def _text(text: str) -> str:
    text = _SECRET_TEXT.sub(MARK, text)
    text = _ENV_LINE.sub(lambda found: f"{found['name']}={MARK}", text)
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}[{len(text) - LONGEST_TEXT} characters left out]"
