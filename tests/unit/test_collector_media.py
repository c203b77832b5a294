"""Answers in both encodings of OTLP: what one says, the other says too."""

import json

import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2  # noqa: F401 -- makes the types of the details known to json_format
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector import errors
from collector.check.check import Checked
from collector.errors import BadPayload, Overloaded, Refused, UnsupportedMediaType
from collector.transport.media import JSON, PROTOBUF, find_media, require_media
from collector.transport.status_message import LONGEST_MESSAGE_BYTES, printable

RESPONSES = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
}
REFUSALS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refused)]


@pytest.mark.parametrize("signal", RESPONSES)
def test_a_success_is_empty_and_has_no_partial_success(signal):
    assert PROTOBUF.success(signal, Checked(b"x", 5)) == b""
    assert JSON.success(signal, Checked(b"x", 5)) == b"{}"


@pytest.mark.parametrize("signal", RESPONSES)
@given(rejected=st.integers(0, 2**40), message=st.text(max_size=50))
def test_both_encodings_of_a_partial_success_say_the_same(signal, rejected, message):
    response, field = RESPONSES[signal]
    checked = Checked(b"x", 5, rejected, message)
    binary = response.FromString(PROTOBUF.success(signal, checked))
    assert json_format.Parse(JSON.success(signal, checked), response()) == binary
    assert getattr(binary.partial_success, field) == rejected
    assert binary.partial_success.error_message == printable(message)
    assert binary.HasField("partial_success") == bool(rejected or message)


def test_a_count_is_a_decimal_string_in_json():
    partial = json.loads(JSON.success("traces", Checked(b"", 0, 3, "why")))["partialSuccess"]
    assert partial == {"rejectedSpans": "3", "errorMessage": "why"}


@pytest.mark.parametrize("kind", REFUSALS)
def test_both_encodings_of_a_refusal_say_the_same(kind):
    refusal = kind("the reason")
    binary = Status.FromString(PROTOBUF.status(refusal))
    assert json_format.Parse(JSON.status(refusal), Status()) == binary
    assert (binary.code, binary.message) == (kind.grpc[1], "the reason")
    assert len(binary.details) == (kind.retry_after_s is not None) + (kind is BadPayload)


@pytest.mark.parametrize("kind", REFUSALS)
def test_only_what_may_be_sent_again_is_answered_with_what_clients_send_again(kind):
    """HTTP 429 and 503, gRPC UNAVAILABLE; on everything else exporters drop the batch."""
    retryable = kind.retry_after_s is not None
    assert retryable == (kind.http in {429, 503})
    assert retryable == (kind.grpc == ("UNAVAILABLE", 14))
    assert kind is Refused or kind.http != 500


@given(text=st.text(alphabet=st.characters(exclude_categories=()), max_size=3000))
def test_what_is_quoted_is_printable_and_short(text):
    found = printable(text)
    assert found.isprintable()
    assert len(found.encode()) <= LONGEST_MESSAGE_BYTES
    assert text.isprintable() is False or text.startswith(found)


def test_every_answer_stays_far_below_what_clients_read():
    """The collector's exporter reads 64 KiB, and gRPC clients 8 KiB of trailers, where text is encoded three times."""
    refusals = [kind("\N{PILE OF POO}" * 10_000) for kind in (BadPayload, Overloaded)]
    assert all(len(media.status(refusal)) < 2500 for media in (PROTOBUF, JSON) for refusal in refusals)
    assert len(JSON.success("traces", Checked(b"", 0, 1, "x" * 100_000))) < 2500


def test_a_content_type_is_read_without_case_and_parameters():
    assert find_media("application/x-protobuf") is PROTOBUF
    assert find_media(" Application/JSON ; charset=utf-8") is JSON
    for name in ("", "text/plain", "application/protobuf", "application/json, application/json", "*/*"):
        assert find_media(name) is None, name
        with pytest.raises(UnsupportedMediaType, match="http/protobuf"):
            require_media(name)
