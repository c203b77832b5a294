"""The OTLP specification by number, 1 to 12: transport, endpoints, sizes and who may come in.

Sources: opentelemetry-proto docs/specification.md, opentelemetry-specification protocol/exporter.md.
"""

import gzip
import http.client
import socket
import ssl
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import grpc
import pytest
from backports import zstd
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from collector.admission.admission import Admission
from collector.transport.otlp_grpc import SERVICES
from collector.transport.tls import load_tls
from ninelives.settings import Settings, SettingsError, load_settings
from ninelives.sockets import PortInUseError, bind
from storage.client import Database
from storage.tokens import Token, Tokens, digest, write_tokens
from tests.integration.otlp_bodies import SIGNALS, json_span, json_traces, ordinary
from tests.integration.otlp_stack import BODY_LIMIT, Outcome
from tests.receivers import JSON, PROTOBUF, GrpcReceiver, grpc_receiver, http_receiver, make_certificates

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:9/never"
LATER = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"


@pytest.fixture(autouse=True)
def _goes_on(conforming):
    yield
    conforming.goes_on()


@pytest.fixture
def nowhere():
    """A database that nothing is ever written to: for servers that get empty requests only."""
    return Database(NOWHERE, create=False)


@pytest.mark.parametrize("signal", SIGNALS)
def test_01_no_compression_gzip_deflate_and_zstd_are_understood_for_every_signal(conforming, signal):
    for encoding, pack in (("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd.compress)):
        body = ordinary(signal)
        assert conforming.over_http(signal, pack(body), Content_Encoding=encoding) == Outcome(200)
        assert conforming.over_http(signal, body) == Outcome(200), "without any"
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate):
        assert conforming.over_grpc(signal, ordinary(signal), compression=compression) == Outcome(200)


@pytest.mark.parametrize("encoding", ["br", "snappy", "lz4", "gzip, gzip", "x"])
def test_01_any_other_compression_is_415(conforming, encoding):
    assert conforming.over_http("traces", b"", Content_Encoding=encoding).status == 415


def test_02_the_standard_ports_on_loopback_are_the_default():
    fields = Settings.model_fields
    assert str(fields["otlp_grpc"].default) == "127.0.0.1:4317"
    assert str(fields["otlp_http"].default) == "127.0.0.1:4318"


@pytest.mark.parametrize("signal", SIGNALS)
def test_02_protobuf_and_json_are_received_at_the_same_path(conforming, signal):
    assert conforming.over_http(signal, ordinary(signal)) == Outcome(200)
    assert conforming.over_http(signal, b"{}", as_json=True) == Outcome(200)


@pytest.mark.parametrize("signal", SIGNALS)
def test_03_a_slash_at_the_end_is_the_same_path_and_nothing_is_ever_redirected(conforming, signal):
    before = conforming.lane(signal).accepted_items
    assert conforming.http.send(ordinary(signal), path=f"/v1/{signal}/")[0] == 200
    assert conforming.lane(signal).accepted_items == before + 1
    for path in ("/", f"/v1/{signal}//", f"/x/v1/{signal}", "/v1", ""):
        assert conforming.http.send(b"", path=path or "/?")[0] == 404, path


def test_03_a_prefix_is_received_when_it_is_set(tmp_path, nowhere):
    with http_receiver(nowhere, tmp_path, app_options={"path_prefix": "/x"}) as found:
        for signal in SIGNALS:
            assert [found.send(path=f"/x/v1/{signal}{slash}")[0] for slash in ("", "/")] == [200, 200]


def test_04_the_limit_holds_before_and_after_decompression(conforming):
    large = bytes(BODY_LIMIT + 1)
    for headers, body in (({}, large), ({"Content_Encoding": "gzip"}, gzip.compress(large))):
        assert conforming.over_http("traces", body, **headers).status == 413
        assert conforming.http.send(iter([body]), **headers)[0] == 413, "without a length"
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with pytest.raises(grpc.RpcError) as failure:
            conforming.grpc.call(large, compression=compression)
        assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert not {"grpc-status-details-bin", "google.rpc.retryinfo-bin"} & set(
            dict(failure.value.trailing_metadata())
        )


def test_04_the_limit_can_be_set(tmp_path, nowhere):
    assert Settings.model_fields["body_limit"].default == BODY_LIMIT
    with http_receiver(nowhere, tmp_path, app_options={"body_limit_bytes": 10}) as found:
        assert (found.send(bytes(11))[0], found.send(bytes(10))[0]) == (413, 400)


def test_05_answers_are_short_whatever_they_are_about(conforming):
    name = "n" * 1_000_000
    body = json_traces(json_span(), json_span(name=name, spanId="z"), json_span(spanId=name))
    found = conforming.over_http("traces", body, as_json=True)
    assert (found.status, found.rejected) == (200, 2)
    assert 0 < len(found.message) <= 1000
    assert len(conforming.http.send(b"", Content_Type=name[:50_000])[2]) < 1500


def test_06_a_body_without_a_length_is_read_to_its_end(conforming):
    for signal in SIGNALS:
        body = ordinary(signal)
        chunked = iter([body[:7], body[7:]])
        assert conforming.over_http(signal, chunked) == Outcome(200)


def test_07_http_1_1_is_enough_and_a_connection_serves_many_requests_and_many_connections_one_server(conforming):
    with closing(conforming.http.connect()) as connection:
        connection.connect()
        port = connection.sock.getsockname()
        for _ in range(5):
            assert conforming.http.send(ordinary("traces"), connection=connection)[0] == 200
        assert connection.sock.getsockname() == port
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: conforming.over_http("traces", ordinary("traces")), range(16))) == {Outcome(200)}
    export = conforming.channel.unary_unary(GrpcReceiver.TRACES)
    assert {call.result(20) for call in [export.future(ordinary("traces")) for _ in range(16)]} == {b""}


def test_08_the_three_services_are_there_and_another_one_is_unimplemented(conforming):
    for signal in SIGNALS:
        assert SERVICES[signal].startswith("opentelemetry.proto.collector.")
        assert conforming.over_grpc(signal, ordinary(signal)) == Outcome(200)
    for method in (LATER, GrpcReceiver.TRACES + "s", "/x/y"):
        assert conforming.grpc.refused(b"", method)[0] is grpc.StatusCode.UNIMPLEMENTED
    assert conforming.http.send(path="/v1development/profiles")[0] == 404


def test_09_the_standard_health_service_answers(conforming):
    """HTTP's /healthz and /readyz stand on the port of the probes: the receiver's own answers nothing but OTLP."""
    health = health_pb2_grpc.HealthStub(conforming.channel)
    for name in ("", *SERVICES.values()):
        found = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
        assert found.status == health_pb2.HealthCheckResponse.SERVING
    assert conforming.http.send(method="GET", path="/healthz")[0] == 404


def test_09_probes_of_the_collectors_process_answer(collector_process):
    for path in ("/healthz", "/readyz"):
        with closing(http.client.HTTPConnection("127.0.0.1", collector_process.health_port, timeout=20)) as connection:
            connection.request("GET", path)
            assert connection.getresponse().status == 200


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def is_answered(port, context):
    with closing(http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)) as connection:
        connection.request("POST", "/v1/traces", b"", {"Content-Type": PROTOBUF})
        return connection.getresponse().status == 200


def test_10_both_listeners_speak_tls_and_ask_for_certificates_when_told_to(tmp_path, nowhere, certificates):
    files = [certificates.path(name) for name in ("server.pem", "server.key", "ca.pem")]
    tls, context = load_tls(*files), certificates.client_context(with_certificate=True)
    with http_receiver(nowhere, tmp_path / "http", tls=tls) as found:
        assert is_answered(found.port, context)
        stranger = certificates.client_context(with_certificate=False)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            is_answered(found.port, stranger)
    ca, key, own = (certificates.path(name).read_bytes() for name in ("ca.pem", "client.key", "client.pem"))
    with (
        grpc_receiver(nowhere, tmp_path / "grpc", tls=tls) as found,
        grpc.secure_channel(f"127.0.0.1:{found.port}", grpc.ssl_channel_credentials(ca, key, own)) as channel,
    ):
        assert channel.unary_unary(GrpcReceiver.TRACES)(b"", timeout=20) == b""


def test_10_a_bad_certificate_or_a_port_in_use_ends_the_start_with_a_reason(conforming, tmp_path, certificates):
    (tmp_path / "no.pem").write_text("no certificate")
    for cert, key in (("no.pem", "no.pem"), ("missing.pem", "missing.pem")):
        with pytest.raises(SettingsError, match="tls"):
            load_settings({"tls_cert": tmp_path / cert, "tls_key": tmp_path / key})
    address = load_settings({"otlp_http": f"127.0.0.1:{conforming.http.port}"}).otlp_http
    with pytest.raises(PortInUseError, match=str(conforming.http.port)):
        bind(address, "--otlp-http HOST:PORT")
    with pytest.raises(OSError, match="in use"):
        socket.create_server(("127.0.0.1", conforming.grpc.port))


SECRETS = {
    "sender": "nl_sender_0123456789abcdefghijklmnopqrstuvw",
    "reader": "nl_reader_0123456789abcdefghijklmnopqrstuvw",
}


@pytest.fixture
def admission(tmp_path):
    """Makes an admission that asks for the tokens above."""
    scopes = {"sender": frozenset({"ingest"}), "reader": frozenset({"read"})}
    write_tokens(tmp_path / "tokens", [Token(name, scopes[name], digest(SECRETS[name])) for name in SECRETS])
    return lambda: Admission(tokens=Tokens(tmp_path / "tokens"))


KEYS = {
    "missing": (None, 401, grpc.StatusCode.UNAUTHENTICATED),
    "wrong": ("Bearer nl_wrong_0123456789abcdefghijklmnopqrstuvwx", 401, grpc.StatusCode.UNAUTHENTICATED),
    "of another scheme": ("Basic eDp5", 401, grpc.StatusCode.UNAUTHENTICATED),
    "not for sending": (f"Bearer {SECRETS['reader']}", 403, grpc.StatusCode.PERMISSION_DENIED),
}


def test_11_who_may_not_send_is_told_so_in_both_transports(tmp_path, nowhere, admission):
    with http_receiver(nowhere, tmp_path / "h", admission=admission()) as found:
        for name, (key, status, code) in KEYS.items():
            for kind in (PROTOBUF, JSON):
                got, headers, body = found.send(b"{}", Authorization=key, Content_Type=kind)
                assert (got, headers["Content-Type"]) == (status, kind), name
                assert kind == JSON or Status.FromString(body).code == code.value[0], name
        assert found.send(Authorization=f"Bearer {SECRETS['sender']}")[0] == 200
    with grpc_receiver(nowhere, tmp_path / "g", admission=admission()) as found:
        for name, (key, _, code) in KEYS.items():
            metadata = [("authorization", key)] if key else []
            got, _, trailers = found.refused(b"", metadata=metadata)
            assert got is code, name
            assert "google.rpc.retryinfo-bin" not in trailers
        assert found.call(b"", metadata=[("authorization", f"Bearer {SECRETS['sender']}")]) == b""


PREFLIGHT = {"method": "OPTIONS", "Access_Control_Request_Method": "POST", "Content_Type": None}


def test_12_web_pages_may_send_only_from_origins_that_were_named(conforming, tmp_path, nowhere):
    assert conforming.http.send(**PREFLIGHT, Origin="https://shop.example")[0] == 405, "off by default"
    with http_receiver(nowhere, tmp_path, app_options={"cors_origins": ["https://shop.example"]}) as found:
        status, headers, _ = found.send(**PREFLIGHT, Origin="https://shop.example")
        assert (status, headers["Access-Control-Allow-Origin"]) == (204, "https://shop.example")
        assert headers["Access-Control-Allow-Methods"] == "POST"
        assert int(headers["Access-Control-Max-Age"])
        status, headers, _ = found.send(**PREFLIGHT, Origin="https://evil.example")
        assert (status, headers.get("Access-Control-Allow-Origin")) == (204, None)
