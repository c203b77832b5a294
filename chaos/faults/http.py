import random
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chaos.errors import FaultRefusedError
from chaos.proxy.delay import MAX_DELAY_MS
from chaos.proxy.proxy import Proxy
from chaos.proxy.request_fault import HttpRule, RequestFault
from chaos.wire import Groups

HeaderName = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]


class HttpAttributes(BaseModel):
    """What happens to a `share` (0..1) of the requests whose headers `match`.

    `delay_ms` before anything else; then `status` answers in the service's place, or `abort` resets the connection.
    `match` is header by value; a value may hold the wildcards `*` and `?`. The same `seed` chooses the same requests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: int | None = Field(default=None, ge=200, le=599)
    share: float = Field(default=1.0, ge=0, le=1)
    delay_ms: int = Field(default=0, ge=0, le=MAX_DELAY_MS)
    abort: bool = False
    match: dict[HeaderName, str] = {}
    seed: str | int | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if self.status is not None and self.abort:
            raise ValueError("give status or abort, not both: an aborted request has no answer")
        if self.status is None and not self.abort and not self.delay_ms:
            raise ValueError("give status, abort or delay_ms: this fault would do nothing")
        return self


class HttpFault:
    """Requests of an HTTP edge that fail in the service's place."""

    kills = 0

    def __init__(self, fault_id: str, proxy: Proxy, attributes: dict[str, Any], groups: Groups | None = None) -> None:
        self._id = fault_id
        self._proxy = proxy
        self._attributes = HttpAttributes.model_validate(attributes)
        self._groups = groups
        self.key = f"http:{proxy.name}/{fault_id}"

    def check(self) -> None:
        """Refuse an edge whose requests cannot be seen (raises FaultRefusedError)."""
        if self._proxy.protocol != "http":
            raise FaultRefusedError(
                f"edge {self._proxy.name} carries bytes (protocol tcp), so it cannot answer requests; "
                "set `protocol: http` for it in the targets file",
                400,
            )

    async def apply(self) -> None:
        found = self._attributes
        rng = random.Random(found.seed)  # noqa: S311 - drawn to be repeatable, not a secret
        rule = HttpRule(found.share, found.status, found.delay_ms / 1000, found.abort, found.match, rng)
        self._proxy.requests.put(RequestFault(self._id, rule, self._groups))

    async def revert(self) -> bool:
        self._proxy.requests.remove(self._id)
        return not self._proxy.requests.has(self._id)
