"""TLS on both listeners, with certificates that openssl makes on the fly."""

import http.client
import socket
import ssl
import time
from contextlib import closing

import grpc
import pytest

from collector.transport.tls import load_tls
from ninelives.settings import SettingsError, load_settings
from tests.receivers import PROTOBUF, GrpcReceiver, grpc_receiver, http_receiver, make_certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def server_tls(certificates, *, mutual=False):
    client_ca = certificates.path("ca.pem") if mutual else None
    return load_tls(certificates.path("server.pem"), certificates.path("server.key"), client_ca)


def post(port, body, context):
    with closing(http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)) as connection:
        connection.request("POST", "/v1/traces", body, {"Content-Type": PROTOBUF})
        return connection.getresponse().status


def export(port, body, certificates, *, with_certificate):
    names = ("client.key", "client.pem") if with_certificate else ()
    ca, *own = (certificates.path(name).read_bytes() for name in ("ca.pem", *names))
    with grpc.secure_channel(f"127.0.0.1:{port}", grpc.ssl_channel_credentials(ca, *own)) as channel:
        return channel.unary_unary(GrpcReceiver.TRACES)(body, timeout=10)


def test_http_is_served_over_tls_and_large_bodies_with_it(tmp_path, otlp, certificates):
    with http_receiver(None, tmp_path, tls=server_tls(certificates)) as found:
        context = certificates.client_context(with_certificate=False)
        assert post(found.port, otlp.traces(*[otlp.span() for _ in range(500)]), context) == 200
        assert post(found.port, bytes(300_000), context) == 413
        with pytest.raises(ssl.SSLCertVerificationError):
            post(found.port, b"", ssl.create_default_context())
        with found.socket() as plain:
            plain.sendall(b"POST /v1/traces HTTP/1.1\r\n\r\n")
            assert b"HTTP/1.1" not in plain.recv(1000)
        assert found.accepted() == 500


def test_grpc_is_served_over_tls(tmp_path, otlp, certificates):
    with grpc_receiver(None, tmp_path, tls=server_tls(certificates)) as found:
        assert export(found.port, otlp.traces(otlp.span()), certificates, with_certificate=False) == b""
        assert found.refused(b"")[0] is grpc.StatusCode.UNAVAILABLE


def test_with_a_client_authority_only_its_clients_are_served(tmp_path, otlp, certificates):
    tls = server_tls(certificates, mutual=True)
    with http_receiver(None, tmp_path / "http", tls=tls) as found:
        assert post(found.port, otlp.traces(otlp.span()), certificates.client_context(with_certificate=True)) == 200
        with pytest.raises((ssl.SSLError, ConnectionError)):
            post(found.port, otlp.traces(otlp.span()), certificates.client_context(with_certificate=False))
    with grpc_receiver(None, tmp_path / "grpc", tls=tls) as found:
        assert export(found.port, otlp.traces(otlp.span()), certificates, with_certificate=True) == b""
        with pytest.raises(grpc.RpcError):
            export(found.port, otlp.traces(otlp.span()), certificates, with_certificate=False)


def test_a_handshake_that_never_ends_is_closed(tmp_path, certificates):
    options = {"timeout_s": 0.5}
    with http_receiver(None, tmp_path, tls=server_tls(certificates), server_options=options) as found:
        with socket.create_connection(("127.0.0.1", found.port), timeout=10) as stalled:
            stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
            started = time.monotonic()
            assert stalled.recv(1000) == b""
            assert time.monotonic() - started < 3
        assert post(found.port, b"", certificates.client_context(with_certificate=False)) == 200


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"tls_cert": "server.pem"}, r"--tls-key is not set"),
        ({"tls_key": "server.key"}, r"--tls-cert is not set"),
        ({"tls_client_ca": "ca.pem"}, r"--tls-cert is not set"),
        ({"tls_cert": "nowhere.pem", "tls_key": "server.key"}, r"--tls-cert .*nowhere\.pem cannot be read \(No such"),
        ({"tls_cert": "server.pem", "tls_key": "nowhere.key"}, r"--tls-key .*nowhere\.key cannot be read \(No such"),
        ({"tls_cert": "server.pem", "tls_key": "client.key"}, r"server\.pem and --tls-key .*client\.key"),
        ({"tls_cert": "server.key", "tls_key": "server.key"}, r"--tls-cert .*server\.key"),
        ({"tls_cert": "server.pem", "tls_key": "server.key", "tls_client_ca": "ca.key"}, r"--tls-client-ca .*ca\.key"),
        ({"tls_cert": "server.pem", "tls_key": "locked.key"}, r"--tls-key .*locked\.key"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_before_anything_starts(certificates, settings, named):
    certificates.lock("server.key", "locked.key")
    with pytest.raises(SettingsError, match=named):
        load_settings({name: str(certificates.path(value)) for name, value in settings.items()})


def test_usable_files_are_taken(certificates):
    names = {"tls_cert": "server.pem", "tls_key": "server.key", "tls_client_ca": "ca.pem"}
    found = load_settings({name: str(certificates.path(value)) for name, value in names.items()})
    assert found.tls_client_ca == certificates.path("ca.pem")
    assert "PRIVATE" not in repr(server_tls(certificates))
