"""google.rpc.Status, the body of every refusal, and RetryInfo, which tells a client when to come back."""

from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from collector.errors import Refused

LONGEST_MESSAGE = 1000


def status_bytes(refusal: Refused) -> bytes:
    """Return the serialised google.rpc.Status of *refusal*, with RetryInfo when it may be retried."""
    data: bytes = _status(refusal).SerializeToString()
    return data


def retry_info_bytes(seconds: int) -> bytes:
    info = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=seconds))
    data: bytes = info.SerializeToString()
    return data


def printable(text: str) -> str:
    """Return *text* without control characters and of bounded length: it may quote what a client sent."""
    return "".join(char if char.isprintable() else "?" for char in text)[:LONGEST_MESSAGE]


def _status(refusal: Refused) -> status_pb2.Status:
    details = []
    if refusal.retry_after_s is not None:
        info = any_pb2.Any()
        info.Pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=refusal.retry_after_s)))
        details.append(info)
    return status_pb2.Status(code=refusal.grpc[1], message=printable(str(refusal)), details=details)
