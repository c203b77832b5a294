"""Tokens on the API: who may read, who may change, and what stays open, over real HTTP."""

import http.client
import socket
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest
import uvicorn
import uvloop
from prometheus_client import CollectorRegistry, Counter

import storage.tokens
from api import models as m
from api.app import build_app
from api.client import ApiClient, ApiError
from api.context import Context
from storage.client import Database
from storage.slo_catalog import SloCatalog
from storage.tokens import SCOPES, Token, Tokens, digest, write_tokens

NOWHERE = "http://127.0.0.1:9/never"
SECRETS = {scope: f"nl_{scope}_0123456789abcdefghijklmnopqrstuvwxyz" for scope in SCOPES}


class Server:
    def __init__(self, port, path):
        self.port, self.path = port, path

    def get(self, path, *headers, method="GET", body=b""):
        """Return (status, headers, text); each of *headers* is one Authorization header."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.putrequest(method, path)
            for header in headers:
                connection.putheader("Authorization", header)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def client(self, scope=None):
        return ApiClient(f"http://127.0.0.1:{self.port}", token=SECRETS[scope] if scope else "", timeout_s=10)


@contextmanager
def serving(database, folder, *, guarded=True):
    registry = CollectorRegistry()
    Counter("seen", "Something to scrape.", registry=registry).inc()
    path = folder / "tokens.yaml"
    write_tokens(path, [Token(scope, frozenset({scope}), digest(secret)) for scope, secret in SECRETS.items()])
    tokens = Tokens(path) if guarded else None
    context = Context(database, SloCatalog([folder / "slos"]), registry, "1.2.3", {}, tokens=tokens)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(context), log_config=None, access_log=False, http="httptools"))
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield Server(listener.getsockname()[1], path)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def guard(tmp_path_factory):
    """A server that answers without its database, which nobody opens."""
    with serving(Database(NOWHERE, create=False), tmp_path_factory.mktemp("guard")) as found:
        yield found


@pytest.fixture
def server(database, tmp_path):
    with serving(database, tmp_path) as found:
        yield found


def bearer(scope):
    return f"Bearer {SECRETS[scope]}"


def problem(text):
    return m.Problem.model_validate_json(text)


def test_without_a_tokens_file_everybody_may_read(database, tmp_path):
    with serving(database, tmp_path, guarded=False) as server, server.client() as api:
        assert api.services() == []
        assert server.get("/metrics")[0] == 200


GUARDED = (
    "/api/v1/services",
    "/api/v1/status",
    "/api/v1/slos",
    "/api/v1/traces/" + "0" * 32,
    "/api/v1/nothing",
    "/metrics",
)


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "headers",
    [(), ("Bearer wrong",), (f"Basic {SECRETS['read']}",), (SECRETS["read"],), (bearer("read"), bearer("read"))],
)
def test_every_route_refuses_who_shows_no_known_token(guard, path, headers):
    status, answer, text = guard.get(path, *headers)
    assert (status, answer["Content-Type"], answer["WWW-Authenticate"]) == (401, "application/problem+json", "Bearer")
    found = problem(text)
    assert (found.status, found.title) == (401, "Unauthorized")
    assert "Authorization: Bearer TOKEN" in (found.detail or "")
    assert not any(secret in text for secret in SECRETS.values())


@pytest.mark.parametrize("name", ["token", "access_token", "authorization"])
def test_a_token_in_the_address_is_refused(guard, name):
    status, _, text = guard.get(f"/api/v1/services?{name}={SECRETS['admin']}")
    assert status == 401
    assert "never in the address" in text
    assert SECRETS["admin"] not in text


@pytest.mark.parametrize(("scope", "allowed"), [("ingest", False), ("read", True), ("operate", True), ("admin", True)])
def test_reading_needs_the_scope_read(guard, scope, allowed):
    for path, found in (("/api/v1/nothing", 404), ("/metrics", 200)):
        status, answer, text = guard.get(path, bearer(scope))
        assert status == (found if allowed else 403), text
        if not allowed:
            assert answer["Content-Type"] == "application/problem+json"
            assert problem(text).detail == (
                "the token 'ingest' has no scope 'read'; 'ninelives tokens list' shows what it may"
            )


@pytest.mark.parametrize(("scope", "expected"), [("ingest", 403), ("read", 403), ("operate", 422), ("admin", 422)])
@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/v1/runs/x")])
def test_changing_needs_the_scope_operate(guard, method, path, scope, expected):
    status, _, text = guard.get(path, bearer(scope), method=method, body=b"{}")
    assert status == expected, text
    assert problem(text).status == expected


@pytest.mark.parametrize(
    ("path", "expected"), [("/healthz", 200), ("/readyz", 503), ("/docs", 200), ("/openapi.json", 200)]
)
def test_probes_and_the_documentation_stay_open(guard, path, expected):
    """The database of this server cannot be reached, so it is not ready."""
    assert guard.get(path)[0] == expected


@pytest.mark.parametrize(
    "path", ["/healthz/../metrics", "//metrics", "/metrics/", "/api/v1/services/", "/healthz/x", "/"]
)
def test_no_spelling_of_a_path_goes_around_the_guard(guard, path):
    assert guard.get(path)[0] == 401


def test_the_documentation_says_that_a_token_is_needed(guard):
    text = guard.get("/openapi.json")[2]
    assert '"scheme":"bearer"' in text


def test_the_typed_client_shows_its_token(server):
    with server.client("read") as api:
        assert api.services() == []
        assert api.status().version == "1.2.3"
    with server.client() as api, pytest.raises(ApiError, match="Unauthorized: the token is missing") as refusal:
        api.services()
    assert refusal.value.status == 401
    with server.client("ingest") as api, pytest.raises(ApiError, match="Forbidden") as refusal:
        api.services()
    assert refusal.value.status == 403


def test_a_revoked_token_is_refused_without_a_restart(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.tokens, "LOOK_EVERY_S", 0)
    with serving(Database(NOWHERE, create=False), tmp_path) as server:
        assert server.get("/metrics", bearer("read"))[0] == 200
        write_tokens(server.path, [Token("admin", frozenset({"admin"}), digest(SECRETS["admin"]))])
        assert server.get("/metrics", bearer("read"))[0] == 401
        assert server.get("/metrics", bearer("admin"))[0] == 200


def test_a_large_body_of_a_stranger_is_not_waited_for(guard):
    with socket.create_connection(("127.0.0.1", guard.port), timeout=10) as connection:
        lines = (
            "PUT /api/v1/runs/x HTTP/1.1",
            "Host: x",
            "Content-Type: application/json",
            "Content-Length: 100000000",
        )
        connection.sendall("\r\n".join([*lines, "", '{"id":']).encode())
        started = time.monotonic()
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
        assert time.monotonic() - started < 5


def test_a_run_is_stored_by_who_may_operate(server):
    now = datetime.now(UTC)
    run = m.Run(
        id="r1", experiment="x", title="X", status="running", verdict=None, started_at=now, ended_at=None,
        heartbeat_at=now,
    )  # fmt: skip
    with server.client("operate") as api:
        api.save_run(run)
        assert [found.id for found in api.runs()] == ["r1"]
