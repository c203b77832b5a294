"""The pages' one way to the API: short-lived cached calls, and errors that a page can explain."""

import argparse
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import streamlit as st
from pydantic import ValidationError

from api.client import ApiClient, ApiError

P = ParamSpec("P")
T = TypeVar("T")

CACHE_SECONDS = 3
TIMEOUT_S = 8.0

_down_since: dict[str, datetime] = {}
_down_lock = threading.Lock()


class UnreachableError(Exception):
    """The API did not answer, or not in a form that this dashboard can read.

    Attributes:
        since: When the first of the failing calls was made.
    """

    def __init__(self, message: str, since: datetime) -> None:
        super().__init__(message)
        self.since = since


class NotFoundError(Exception):
    """The API answered that it does not know the asked entity."""


def api_url() -> str:
    """Return the base URL of the API, from the process' arguments (`--api URL`)."""
    return str(_arguments().api).rstrip("/")


def fetch(method: Callable[Concatenate[ApiClient, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call *method* of the client, or return its answer of the last few seconds.

    Raises:
        UnreachableError: Nothing answered, the server failed, or its answer does not fit the contract.
        NotFoundError: The server answered 404.
    """
    base_url = api_url()
    try:
        answer = _cached(base_url, method.__name__, tuple(args), tuple(sorted(kwargs.items())))
    except ApiError as error:
        if error.status == 404:
            raise NotFoundError(str(error)) from error
        raise UnreachableError(str(error), _mark_down(base_url)) from error
    except ValidationError as error:
        reason = f"the API at {base_url} answered something else than expected ({error.error_count()} fields differ)"
        raise UnreachableError(f"{reason}; are both of the same version?", _mark_down(base_url)) from error
    with _down_lock:
        _down_since.pop(base_url, None)
    return cast("T", answer)


def call(method: Callable[Concatenate[ApiClient, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call *method* of the client, which changes something or is asked for by a person: never an answer kept earlier.

    What was kept of other calls is forgotten: the page shows at once what this one changed.

    Raises:
        ApiError: What the API refuses is for the page to show beside the button.
    """
    try:
        return method(_client(api_url()), *args, **kwargs)
    finally:
        _cached.clear()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--api", default="http://127.0.0.1:8080")
    parser.add_argument("--token-file", type=Path)
    return parser.parse_known_args(sys.argv[1:])[0]


def _token() -> str:
    """Return the token that the API is shown, "" when the process got none (`--token-file PATH`)."""
    path = _arguments().token_file
    return path.read_text(encoding="utf-8").strip() if path else ""


def _mark_down(base_url: str) -> datetime:
    with _down_lock:
        return _down_since.setdefault(base_url, datetime.now(UTC))


@st.cache_resource(show_spinner=False, max_entries=4, on_release=ApiClient.close)
def _client(base_url: str) -> ApiClient:
    return ApiClient(base_url, token=_token(), timeout_s=TIMEOUT_S)


# cache_resource hands out the same object instead of a copy: the models are frozen, and a trace can be large
@st.cache_resource(ttl=CACHE_SECONDS, max_entries=256, show_spinner=False)
def _cached(base_url: str, method: str, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]) -> Any:
    return getattr(_client(base_url), method)(*args, **dict(kwargs))
