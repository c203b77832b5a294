from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def problems(error: ValidationError, *, hidden: Iterable[str] = ()) -> list[str]:
    """Return one line for each bad field, as `field.path: reason (got value)`.

    Args:
        error: what pydantic found.
        hidden: parts of a path that are no fields of the file, such as the tags of a union.
    """
    skip = frozenset(hidden)
    return [_line([str(part) for part in found["loc"] if part not in skip], found) for found in error.errors()]


def _line(path: list[str], found: ErrorDetails) -> str:
    where = ".".join(path) or "(file)"
    message = found["msg"].removeprefix("Value error, ")
    if found["type"] == "value_error" and not path:  # a rule over several fields, which its message names
        return message
    if found["type"] == "missing":
        return f"{where}: this field is required"
    if found["type"] == "extra_forbidden":
        return f"{where}: unknown field; check its spelling"
    return f"{where}: {message} (got {found['input']!r})"
