"""What is wrong with alerts.yaml, told to the person who wrote it."""

from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from alerts.errors import InvalidAlert
from alerts.yaml_plain import Location, PlainDocument, path_of
from slo.errors import SloFileProblem

_SECRETS: Final = frozenset(
    {"url", "secret", "api_url", "webhook_url", "routing_key", "auth_password", "alertmanagers"}
)
_EXPECTED: Final = {
    "string_type": "text; write it in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list; write - before each item",
    "model_type": "a mapping; write field: value",
    "model_attributes_type": "a mapping; write field: value",
    "path_type": "a path; write it in quotes",
}


class InvalidConfig(InvalidAlert):
    """A file that cannot be used.

    Attributes:
        problems: all that is wrong.
    """

    def __init__(self, problems: Sequence[SloFileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def problems_of(error: ValidationError, document: PlainDocument, file: str) -> list[SloFileProblem]:
    """Return each thing that models found wrong in *document*, with its place."""
    details = error.errors(include_url=False)
    found = []
    for detail in details:
        if detail["type"] == "too_short" and any(_inside(other, detail) for other in details):
            continue  # what is wrong is told of its items
        location: Location = (*detail["loc"], *_field(detail))
        line = document.line(location)
        found.append(SloFileProblem(file, line, _reason(detail, location), path=path_of(location)))
    return found


def _inside(inner: ErrorDetails, outer: ErrorDetails) -> bool:
    return inner is not outer and inner["loc"][: len(outer["loc"])] == outer["loc"]


def _field(detail: ErrorDetails) -> Location:
    """Return the field of a mapping that a check of the whole mapping complains of."""
    field = detail.get("ctx", {}).get("field")
    return () if field is None else (field,)


def _reason(detail: ErrorDetails, location: Location) -> str:
    kind, name = detail["type"], str(next((part for part in reversed(location) if isinstance(part, str)), "it"))
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if kind == "unknown_field":
        return detail["msg"]
    if kind == "missing":
        return f"{name} is missing; write {name}:"
    if kind in {"string_too_short", "too_short"}:
        return f"{name} is empty; write at least one"
    shown = "" if name in _SECRETS else f", not {_shown(detail['input'])}"
    expected = _EXPECTED.get(kind)
    return f"{detail['msg']}{shown}" if expected is None else f"{name} must be {expected}{shown}"


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "empty" if value is None else repr(value)[:80]
