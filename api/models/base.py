from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

Severity = Literal["critical", "warning", "info"]


class Model(BaseModel):
    """Immutable; unknown fields are ignored, so that an older client can read a newer server."""

    model_config = ConfigDict(frozen=True, extra="ignore")


T = TypeVar("T")


class Page(Model, Generic[T]):
    """A list answer. `next_cursor` is None on the last page."""

    items: list[T]
    next_cursor: str | None = None
