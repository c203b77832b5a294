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


class UnsupportedEncoding(Refused):
    http = 415
    grpc = ("INVALID_ARGUMENT", 3)


class TooLarge(Refused):
    http = 413
    grpc = ("RESOURCE_EXHAUSTED", 8)


class Overloaded(Refused):
    """Temporary: the client keeps the batch and sends it again."""

    http = 503
    grpc = ("UNAVAILABLE", 14)
    retry_after_s = 1
