"""Values of alerts.yaml: durations, addresses, and secrets that are kept in files of their own."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from alerts.errors import InvalidAlert

LARGEST_SECRET: Final = 4096
REPLACED: Final = {
    "match": "write matchers: ['name=\"value\"']",
    "match_re": "write matchers: ['name=~\"value\"']",
    "send_resolved": "whoever was told that an alert fires is always told that it is over",
    "teams_configs": "write msteamsv2_configs",
    "msteams_configs": "write msteamsv2_configs, with the address of a Workflows webhook",
}
_UNITS: Final = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION: Final = re.compile("".join(rf"(?:(\d{{1,9}}){unit})?" for unit in _UNITS), re.ASCII)


def parse_time_span(text: str) -> timedelta:
    """Return a duration as Prometheus writes it: whole numbers with units from w to ms, the larger before the smaller.

    Raises:
        ValueError: anything else, or more than ten years.

    >>> parse_time_span("1h30m"), parse_time_span("0s")
    (datetime.timedelta(seconds=5400), datetime.timedelta(0))
    """
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"{text!r} is no duration; write whole numbers with w, d, h, m, s or ms, such as 5m or 1h30m")
    counts = zip(found.groups(default="0"), _UNITS.values(), strict=True)
    seconds = sum(int(count) * unit.total_seconds() for count, unit in counts)
    if seconds > timedelta(days=3660).total_seconds():
        raise ValueError(f"{text} is longer than ten years; write a shorter duration")
    return timedelta(seconds=seconds)


def _time_span(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no duration; write it with its unit, such as 5m or 1h30m")  # noqa: TRY004 - pydantic tells of ValueErrors
    return parse_time_span(value)


def _unknown(name: object, fields: Sequence[str]) -> str:
    alike = get_close_matches(str(name), fields, n=1)
    remedy = REPLACED.get(str(name)) or (f"write {alike[0]}" if alike else "leave it out")
    return f"unknown field {name}; {remedy}; known here: {', '.join(fields)}"


def _http_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in value):
        # the address itself may be a secret: it is not shown
        raise ValueError("this is no address of a web server; write https://host/path")
    return value


def _beside_the_file(value: Path, info: ValidationInfo) -> Path:
    """Return a path as it is meant: from the folder of the file that names it."""
    folder = (info.context or {}).get("folder")
    return value if folder is None else Path(folder) / value


TimeSpan = Annotated[timedelta, BeforeValidator(_time_span)]
HttpAddress = Annotated[str, AfterValidator(_http_address)]
SecretFile = Annotated[Path, AfterValidator(_beside_the_file)]


class ConfigModel(BaseModel):
    """A mapping of alerts.yaml: an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _has_known_fields(cls, given: object) -> object:
        fields = [field.alias or name for name, field in cls.model_fields.items()]
        for name in given if isinstance(given, Mapping) else ():
            if name not in fields:
                raise PydanticCustomError("unknown_field", "{told}", {"field": name, "told": _unknown(name, fields)})
        return given


class ConfigWithSecrets(ConfigModel):
    """A mapping some of whose fields may instead be kept in a file, named by the field `<name>_file`.

    `SECRETS` names them, and whether one of both must be there.
    """

    SECRETS: ClassVar[dict[str, bool]] = {}

    @model_validator(mode="after")
    def _has_each_secret_once(self) -> Self:
        for name, required in self.SECRETS.items():
            given = [field for field in (name, f"{name}_file") if getattr(self, field)]
            if len(given) == 2:
                raise ValueError(f"{name} and {name}_file are both there; keep one")
            if required and not given:
                raise ValueError(
                    f"{name} is missing; write {name}_file: with the path of the file that holds it, or {name}:"
                )
        return self

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that secrets are kept in."""
        named: list[Path | None] = [getattr(self, f"{name}_file") for name in self.SECRETS]
        return tuple(path for path in named if path is not None)

    def secret_value(self, name: str) -> str:
        """Return the field *name*, read from its file if that is named; "" where neither is there.

        The file is read each time, so that a rotated secret needs no restart.

        Raises:
            InvalidAlert: the file cannot be read, is empty or too large for a secret.
        """
        path: Path | None = getattr(self, f"{name}_file")
        if path is None:
            return str(getattr(self, name))
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(LARGEST_SECRET + 1)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise InvalidAlert(f"{name}_file {path} cannot be read: {reason}") from error
        if len(text) > LARGEST_SECRET or not text.strip():
            problem = "is empty" if not text.strip() else f"has more than {LARGEST_SECRET} characters"
            raise InvalidAlert(f"{name}_file {path} {problem}; write {name} alone into it")
        return text.strip()
