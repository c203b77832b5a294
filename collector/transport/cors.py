"""Which web pages may send, as the Fetch standard asks for it: browsers ask before they send JSON to another origin."""

from dataclasses import dataclass

Headers = list[tuple[bytes, bytes]]

PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"authorization, content-encoding, content-type"),
    (b"access-control-max-age", b"7200"),
]


@dataclass(frozen=True, slots=True)
class Cors:
    """The origins that are allowed, such as `https://shop.example`; "*" is all of them, and none turns it off."""

    origins: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.origins)

    def headers(self, origin: str | None) -> Headers:
        """Return what an answer to *origin* carries, so that its page may read it."""
        allowed = self._allowed(origin)
        if allowed is None:
            return [(b"vary", b"origin")] if self else []
        return [
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", b"retry-after"),
            (b"vary", b"origin"),
        ]

    def preflight(self, origin: str | None) -> Headers:
        """Return the answer's headers to the question whether *origin* may send; nothing about it means no."""
        return [*self.headers(origin), *(PREFLIGHT if self._allowed(origin) else [])]

    def _allowed(self, origin: str | None) -> bytes | None:
        if origin is None:
            return None
        if "*" in self.origins:
            return b"*"
        return origin.encode("latin-1") if origin in self.origins else None
