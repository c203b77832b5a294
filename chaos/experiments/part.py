from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of a file that people write: immutable, unknown fields refused, no silent conversion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
