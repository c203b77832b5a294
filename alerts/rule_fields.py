"""What fields of rules have in common: durations as they are written, and errors that say what to write instead."""

from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from slo.duration import format_duration, parse_duration, parse_shorthand
from slo.errors import InvalidDuration


class RuleFields(BaseModel):
    """A part of the alert file: values of its own types only, no field that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _has_known_fields(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            raise ValueError(f"{_shown(given)} is not a list of fields; write `field: value`, one a line")  # noqa: TRY004 -- pydantic takes this one
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        for name in given:
            if name not in fields:
                near = get_close_matches(str(name), fields, n=1)
                remedy = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(fields)}"
                raise ValueError(f"unknown field {name!r}; {remedy}")
        for name, field in fields.items():
            if field.is_required() and given.get(name) is None:
                raise ValueError(f"{name!r} is missing; write `{name}: ...` ({field.description})")
        return given


def _duration(written: object) -> object:
    if isinstance(written, timedelta):
        return written
    try:
        return parse_duration(_text_of_duration(written))
    except InvalidDuration as error:
        raise ValueError(str(error)) from error


def _wait(written: object) -> object:
    """Return a duration that may be none: 0 and 0s are how rules of Prometheus say "at once"."""
    if isinstance(written, timedelta):
        return written
    if written == 0 and not isinstance(written, bool):
        return timedelta(0)
    try:
        text = _text_of_duration(written)
        return timedelta(0) if parse_shorthand(text).number == 0 else parse_duration(text)
    except InvalidDuration as error:
        raise ValueError(str(error)) from error


def _text_of_duration(written: object) -> str:
    if not isinstance(written, str):
        raise InvalidDuration(f"{_shown(written)} is not a duration; write a whole number and a unit, such as 5m")
    return written


def _text(written: object) -> object:
    """Return a text; a number or yes/no that YAML read from an unquoted value is that text again."""
    if isinstance(written, bool):
        return "true" if written else "false"
    if isinstance(written, int):
        return str(written)
    if not isinstance(written, str):
        raise ValueError(f"{_shown(written)} is no text; write it in quotes")  # noqa: TRY004 -- pydantic takes this one
    return written


def _map(written: object) -> object:
    if not isinstance(written, Mapping):
        raise ValueError(f"{_shown(written)} is no map; write {{name: value}}")  # noqa: TRY004 -- pydantic takes this one
    return written


def _switch(written: object) -> object:
    if not isinstance(written, bool):
        raise ValueError(f"{_shown(written)} is neither true nor false; write one of them")  # noqa: TRY004 -- pydantic takes this one
    return written


def _shown(written: object) -> str:
    return "nothing" if written is None else repr(written)[:100]


def check_between(name: str, duration: timedelta, least: str, most: str) -> None:
    """Check that *duration* is in [*least*, *most*].

    Raises:
        ValueError: it is not.
    """
    if not parse_duration(least) <= duration <= parse_duration(most):
        raise ValueError(f"{name!r} is {format_duration(duration)}; write a duration from {least} to {most}")


def one_of(name: str, choices: tuple[str, ...]) -> Any:
    """Return a validator that takes only *choices* and lists them to whoever wrote something else."""

    def check(written: object) -> object:
        if written not in choices:
            raise ValueError(f"{name} {_shown(written)} is not known; write one of {', '.join(choices)}")
        return written

    return BeforeValidator(check)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Wait = Annotated[timedelta, BeforeValidator(_wait)]
Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[dict[str, Text], BeforeValidator(_map)]
Switch = Annotated[bool, BeforeValidator(_switch)]
