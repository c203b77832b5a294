"""Errors as RFC 9457 problem documents."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.models import Problem
from storage.errors import DatabaseError

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """An answer that is an error: its status, and what the caller can do about it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def install(app: FastAPI) -> None:
    """Answer every error of *app* with a problem document."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DatabaseError, _database)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return answer(error.status, error.detail)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(error.status_code, str(error.detail))


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(422, "; ".join(_complaint(each) for each in error.errors())[:2000])


def _complaint(error: Mapping[str, Any]) -> str:
    """Return where a request is wrong, the value if there is one, and why."""
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "json_invalid":
        return f"the body is no JSON, at character {error['loc'][-1]}: {error['ctx']['error']}"
    return f"{place}={error.get('input')!r}: {error['msg']}"


async def _database(_request: Request, error: Exception) -> Response:
    return answer(503, f"the database did not answer: {str(error)[:300]}")


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return answer(500, "a fault of ours; the log has it")  # raised again behind this answer, so the server logs it


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return Response(problem.model_dump_json(), status_code=status, media_type=MEDIA_TYPE, headers=headers)
