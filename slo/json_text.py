"""JSON as YAML: what the two disagree about, tabs and escapes, is respelt on the same lines."""

import json
import re
from typing import Final

from slo.errors import DocumentError

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\t')
_ESCAPE: Final = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\(u)d[89a-f][0-9a-f]{2}|\\.")


def json_as_yaml(text: str, file: str) -> str:
    """Return the JSON *text* as YAML that has the same values on the same lines.

    Raises:
        DocumentError: it is not JSON.
    """
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f"this is not JSON: {error.msg}", error.lineno, "", file) from error
    except ValueError as error:  # a number of thousands of digits
        raise DocumentError(f"this JSON cannot be read: {error}", 1, "", file) from error
    except RecursionError as error:
        raise DocumentError("nested too deep; write it flatter", 1, "", file) from error
    return _TOKEN.sub(lambda match: " " if match[0] == "\t" else _string(match[0]), text)


def _string(token: str) -> str:
    """Return one JSON string as a YAML one: in ASCII, so that no character is a line break or unprintable."""
    return _ESCAPE.sub(_character, json.dumps(json.loads(token))).replace("\x7f", "\\u007f")


def _character(match: re.Match[str]) -> str:
    if match[3] is not None:
        return "\\uFFFD"  # half a surrogate pair is no character
    if match[1] is None:
        return match[0]
    return f"\\U{0x10000 + ((int(match[1], 16) - 0xD800) << 10) + int(match[2], 16) - 0xDC00:08X}"
