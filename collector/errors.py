"""Why a request is refused, in the words of both transports."""

from typing import ClassVar


class Refused(Exception):  # noqa: N818 -- a refusal is an answer, not a fault
    """A request that is not accepted; nothing of it is stored.

    Attributes:
        http: HTTP status of the answer.
        grpc: Name and number of the gRPC status.
        retry_after_s: When a client may try again; None means never.
    """

    http: ClassVar[int] = 500
    grpc: ClassVar[tuple[str, int]] = ("INTERNAL", 13)
    retry_after_s: ClassVar[int | None] = None


class BadPayload(Refused):
    http = 400
    grpc = ("INVALID_ARGUMENT", 3)


class UnsupportedMediaType(Refused):
    http = 415
    grpc = ("INVALID_ARGUMENT", 3)


class UnsupportedEncoding(Refused):
    http = 415
    grpc = ("INVALID_ARGUMENT", 3)


class TooLarge(Refused):
    http = 413
    grpc = ("RESOURCE_EXHAUSTED", 8)


class Unauthenticated(Refused):
    http = 401
    grpc = ("UNAUTHENTICATED", 16)


class Forbidden(Refused):
    http = 403
    grpc = ("PERMISSION_DENIED", 7)


class RateLimited(Refused):
    """Too much from one token. Over gRPC this is UNAVAILABLE: exporters drop the batch on RESOURCE_EXHAUSTED."""

    http = 429
    grpc = ("UNAVAILABLE", 14)
    retry_after_s = 1


class Overloaded(Refused):
    """Temporary: the client keeps the batch and sends it again."""

    http = 503
    grpc = ("UNAVAILABLE", 14)
    retry_after_s = 1


class TooSlow(Overloaded):
    """A body that did not arrive in time: 408 would be right by name, but exporters drop the batch on it."""


class InternalFault(Overloaded):
    """A defect of ours; nothing was stored, so the batch may come again. On 500 exporters drop it."""


class UnknownPath(Refused):
    http = 404
    grpc = ("UNIMPLEMENTED", 12)


class WrongMethod(Refused):
    http = 405
    grpc = ("UNIMPLEMENTED", 12)
