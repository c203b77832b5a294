"""What commands print: tables for people, JSON for machines."""

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from pydantic import BaseModel

from api.client import ApiClient, ApiError
from ninelives.options import fail
from ninelives.settings import Settings

json_flag = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def connect(settings: Settings) -> ApiClient:
    return ApiClient(settings.api_url, token=settings.token)


def reports_api_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn what the API refuses into one line and exit code 1."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ApiError as error:
            return fail(str(error), 1)

    return command


def print_json(items: Sequence[BaseModel] | BaseModel) -> None:
    found = (
        items.model_dump(mode="json") if isinstance(items, BaseModel) else [i.model_dump(mode="json") for i in items]
    )
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


def print_found(found: Sequence[BaseModel] | BaseModel, lines: Iterable[str], *, as_json: bool) -> None:
    """Print what the API answered, as JSON or as *lines* for people."""
    if as_json:
        print_json(found)
        return
    for line in lines:
        click.echo(line)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print left-aligned columns."""
    for line in table_lines(header, rows):
        click.echo(line)


def table_lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return left-aligned columns."""
    widths = [max(len(line[column]) for line in (header, *rows)) for column in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (header, *rows)
    ]


def percent(ratio: float | None, digits: int = 3) -> str:
    """Return a ratio in percent, "no data" for None.

    >>> percent(0.99875), percent(-16.34, 1), percent(None)
    ('99.875 %', '-1,634.0 %', 'no data')
    """
    return "no data" if ratio is None else f"{ratio * 100:,.{digits}f} %"


def milliseconds(value: float | None) -> str:
    return "no data" if value is None else f"{value:,.1f} ms"


def moment(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def printable(text: str) -> str:
    """Return *text* on one line without control characters: what a service sent must not move the terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text.replace("\n", " "))
