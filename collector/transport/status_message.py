"""google.rpc.Status, the body of every refusal, in both encodings, and RetryInfo, which says when to come back."""

from typing import Any

import orjson
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from collector.errors import BadPayload, Refused

LONGEST_MESSAGE_BYTES = 1000  # gRPC clients accept 8 KiB of trailers, and this stands in them twice, encoded
TYPES = "type.googleapis.com/google.rpc."


def status_bytes(refusal: Refused) -> bytes:
    """Return the serialised google.rpc.Status of *refusal*.

    Its details say when to retry (RetryInfo), or what is wrong with the payload (BadRequest).
    """
    message = printable(str(refusal))
    details: list[Message] = []
    if refusal.retry_after_s is not None:
        details.append(_retry_info(refusal.retry_after_s))
    if isinstance(refusal, BadPayload):
        violation = error_details_pb2.BadRequest.FieldViolation(field="body", description=message)
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    status = status_pb2.Status(code=refusal.grpc[1], message=message, details=[_packed(item) for item in details])
    data: bytes = status.SerializeToString()
    return data


def status_json(refusal: Refused) -> bytes:
    """Return the same Status in the JSON encoding of protobuf."""
    message = printable(str(refusal))
    details: list[dict[str, Any]] = []
    if refusal.retry_after_s is not None:
        details.append({"@type": TYPES + "RetryInfo", "retryDelay": f"{refusal.retry_after_s}s"})
    if isinstance(refusal, BadPayload):
        violation = {"field": "body", "description": message}
        details.append({"@type": TYPES + "BadRequest", "fieldViolations": [violation]})
    status: dict[str, Any] = {"code": refusal.grpc[1], "message": message}
    return orjson.dumps(status | {"details": details} if details else status)


def retry_info_bytes(seconds: int) -> bytes:
    data: bytes = _retry_info(seconds).SerializeToString()
    return data


def printable(text: str) -> str:
    """Return *text* without control characters and of bounded length: it may quote what a client sent."""
    clean = text[:LONGEST_MESSAGE_BYTES]
    if not clean.isprintable():
        clean = "".join(char if char.isprintable() else "?" for char in clean)
    return clean.encode()[:LONGEST_MESSAGE_BYTES].decode(errors="ignore")


def _retry_info(seconds: int) -> Message:
    info: Message = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=seconds))
    return info


def _packed(message: Message) -> any_pb2.Any:
    found = any_pb2.Any()
    found.Pack(message)
    return found
