"""Messages go to public addresses only, and to the very address that was checked."""

import socket
import ssl
import threading

import httpx
import pytest

from alerts.address_guard import AddressGuard, ForbiddenAddress, GuardedTransport, UnknownHost, is_public, resolve
from tests.receivers import make_certificates
from tests.unit.alert_receivers import http_peer

NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fec0::1", "224.0.0.1", "ff02::1", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "2002:7f00:1::", "2002:a00:1::", "::127.0.0.1", "2001:db8::1", "64:ff9b:1::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101", "2002:101:101::", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_only_some_can_reach_is_not_public(address):
    assert not is_public(address)
    with pytest.raises(ForbiddenAddress, match="set allow_private_addresses: true"):
        AddressGuard(resolver=lambda host, port: [address]).addresses("hooks.example", 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_all_can_reach_is_public(address):
    assert is_public(address)
    assert AddressGuard(resolver=lambda host, port: [address]).addresses("hooks.example", 443) == (address,)


def test_one_private_address_among_public_ones_is_enough_to_refuse_the_host():
    guard = AddressGuard(resolver=lambda host, port: ["1.1.1.1", "10.0.0.1"])
    with pytest.raises(ForbiddenAddress, match=r"hooks\.example is 10\.0\.0\.1"):
        guard.addresses("hooks.example", 443)


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f.1", "2130706433", "0"])
def test_other_ways_to_write_this_machine_are_found_out(host):
    with pytest.raises(ForbiddenAddress):
        AddressGuard().addresses(host, 80)


def test_the_operator_may_allow_everything():
    assert AddressGuard(allow_private=True).addresses("127.0.0.1", 80) == ("127.0.0.1",)


@pytest.mark.parametrize("resolver", [lambda host, port: [], lambda host, port: resolve("x" * 70 + ".example", port)])
def test_a_host_without_address_is_unknown(resolver):
    with pytest.raises(UnknownHost, match=r"hooks\.example has no address"):
        AddressGuard(resolver=resolver).addresses("hooks.example", 443)


def test_the_name_is_resolved_once_and_the_checked_address_is_connected_to():
    """A second answer would be one that was not checked: this is how DNS rebinding gets in."""
    asked = []

    def resolver(host, port):
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["10.255.255.1"]

    transport = GuardedTransport(AddressGuard(allow_private=True, resolver=resolver))
    with http_peer() as peer, httpx.Client(transport=transport) as client:
        assert client.post(f"http://rebinds.example:{peer.port}/x").status_code == 200
        (request,) = peer.requests
    assert asked == [("rebinds.example", peer.port)]
    assert request.headers["Host"] == f"rebinds.example:{peer.port}"


def test_the_next_address_is_tried_where_the_first_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    resolver = AddressGuard(allow_private=True, resolver=lambda host, port: ["127.0.0.2", "127.0.0.1"])
    with http_peer() as peer, httpx.Client(transport=GuardedTransport(resolver)) as client:
        assert client.post(f"http://two.example:{peer.port}/").status_code == 200
        with pytest.raises(httpx.ConnectError):
            client.post(f"http://two.example:{port}/")


def test_tls_is_asked_for_the_name_and_not_for_the_address(tmp_path):
    made = make_certificates(tmp_path)
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=x", "-addext", "subjectAltName=DNS:hooks.example"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    made.openssl("req", "-x509", *curve, *signed, "-keyout", "named.key", "-out", "named.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "named.pem", tmp_path / "named.key")
    asked = []
    context.sni_callback = lambda connection, name, _: asked.append(name)
    guard = AddressGuard(allow_private=True, resolver=lambda host, port: ["127.0.0.1"])
    transport = GuardedTransport(guard, tls=made.client_context(with_certificate=False))
    with socket.create_server(("127.0.0.1", 0)) as listener, httpx.Client(transport=transport) as client:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=_answer_twice, args=(listener, context))
        thread.start()
        assert client.post(f"https://hooks.example:{port}/").status_code == 200
        with pytest.raises(httpx.ConnectError, match="certificate"):
            client.post(f"https://other.example:{port}/")
        thread.join(10)
    assert asked == ["hooks.example", "other.example"]


def _answer_twice(listener, context):
    for _ in range(2):
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            connection.close()
