"""How the client's calls travel: one HTTP connection pool, the prefix `/api/v1`, and problems as exceptions."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from api import models as m

T = TypeVar("T")


class ApiError(Exception):
    """The API refused a request or could not be reached.

    Attributes:
        status: HTTP status of the answer, 0 when nothing answered.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Transport:
    """Calls to `/api/v1` of the server at *base_url*; all raise ApiError."""

    def __init__(self, base_url: str, *, token: str = "", timeout_s: float = 10.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.base_url = base_url.rstrip("/")
        # trust_env=False: a proxy meant for the outside must not swallow calls to a local server
        self._http = httpx.Client(base_url=self.base_url, timeout=timeout_s, headers=headers, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def _get(self, kind: type[T], path: str, **params: str | float | bool | Sequence[str] | None) -> T:
        query = {key: value for key, value in params.items() if value is not None}
        return TypeAdapter(kind).validate_json(self._send("GET", path, params=query).content)

    def _post(self, kind: type[T], path: str, body: m.Model) -> T:
        answer = self._send("POST", path, content=body.model_dump_json().encode())
        return TypeAdapter(kind).validate_json(answer.content)

    def _send(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, content: bytes | None = None
    ) -> httpx.Response:
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            answer = self._http.request(method, f"/api/v1/{path}", params=params, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise ApiError(
                f"cannot reach the API at {self.base_url} ({error}); is 'ninelives up' running there?"
            ) from error
        if answer.is_error:
            raise ApiError(_reason(answer), answer.status_code)
        return answer


def segment(text: str) -> str:
    """Return *text* as one segment of a path, whatever is in it."""
    return quote(text, safe="")


def _reason(answer: httpx.Response) -> str:
    try:
        problem = m.Problem.model_validate_json(answer.content)
    except ValueError:
        return f"{answer.request.method} {answer.request.url.path}: HTTP {answer.status_code}"
    return f"{problem.title}: {problem.detail}" if problem.detail else problem.title
