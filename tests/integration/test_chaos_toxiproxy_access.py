"""Who may speak to the fault daemon: no web page, whatever its name; beyond loopback nobody without the token."""

import stat
import subprocess
import sys

import httpx
import pytest

from chaos.errors import FaultDaemonError
from chaos.fault_client import FaultClient
from tests.integration.chaos_daemon import ROOT, Daemon, Hello, eventually, http_server

pytestmark = pytest.mark.slow

BEYOND = """
import asyncio, socket, sys
from pathlib import Path
from chaos.daemon.server import serve
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listener.setblocking(False)
targets, data = Path(sys.argv[2]), Path(sys.argv[3])
asyncio.run(serve("0.0.0.0", int(sys.argv[1]), targets, data, sock=listener, watch_stdin=True))
"""


class GuardedDaemon(Daemon):
    """A daemon that was told to listen everywhere, on a socket of this machine alone."""

    def start(self):
        command = [sys.executable, "-c", BEYOND, str(self.port), str(self.targets), str(self.folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        eventually(self.listens, 15)

    def listens(self):
        try:
            return httpx.get(f"{self.url}/version", timeout=2, trust_env=False).status_code == 401
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def local_daemon(tmp_path_factory):
    with http_server(Hello) as upstream:
        running = Daemon(tmp_path_factory.mktemp("local"), upstream.server_port)
        yield running
        running.end()


@pytest.fixture(scope="module")
def guarded_daemon(tmp_path_factory):
    with http_server(Hello) as upstream:
        running = GuardedDaemon(tmp_path_factory.mktemp("guarded"), upstream.server_port)
        yield running
        running.end()


@pytest.fixture
def http():
    with httpx.Client(timeout=2, trust_env=False) as found:
        yield found


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8474", "127.0.0.1.evil.example", "10.0.0.7", "0.0.0.0"])
def test_a_page_whose_name_was_pointed_at_loopback_is_refused(local_daemon, http, host):
    """DNS rebinding: same origin to the browser, but the Host is still the page's."""
    headers = {"Host": host}
    assert http.get(f"{local_daemon.url}/proxies", headers=headers).status_code == 403
    fault = {"kind": "partition", "target": "gateway-orders", "lease_ms": 1000}
    refused = http.post(f"{local_daemon.url}/faults", json=fault, headers=headers)
    assert refused.status_code == 403
    assert "127.0.0.1 or localhost" in refused.json()["error"]
    assert local_daemon.active() == []


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8474", "LOCALHOST:1", "127.0.0.1", "127.9.9.9:1", "[::1]:8474"]
)
def test_this_machines_own_names_are_accepted(local_daemon, http, host):
    """With and without a port; loopback needs no token."""
    assert http.get(f"{local_daemon.url}/proxies", headers={"Host": host}).status_code == 200
    assert not (local_daemon.folder / "chaos" / "daemon.token").exists()


def token_of(daemon):
    return (daemon.folder / "chaos" / "daemon.token").read_text(encoding="ascii").strip()


def test_beyond_loopback_every_request_needs_the_token(guarded_daemon, http):
    """Also those that only look; the answer says where the token is, and never what it is."""
    token = token_of(guarded_daemon)
    assert len(token) >= 40
    for given in (None, "", "Bearer", "Bearer x", f"bearer-{token}", f"Bearer {token}x", f"Basic {token}", "Bearer ü"):
        headers = {} if given is None else {"Authorization": given.encode()}
        for method, path in (("GET", "/proxies"), ("GET", "/metrics"), ("POST", "/reset"), ("GET", "/nowhere")):
            refused = http.request(method, guarded_daemon.url + path, headers=headers)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == "Bearer"
            assert "daemon.token" in refused.json()["error"]
            assert token not in refused.text
    allowed = {"Authorization": f"Bearer {token}", "Host": "faults.example"}
    assert http.get(f"{guarded_daemon.url}/proxies", headers=allowed).status_code == 200
    page = allowed | {"Origin": "https://evil.example"}
    assert http.get(f"{guarded_daemon.url}/proxies", headers=page).status_code == 403


@pytest.mark.slow
def test_the_token_is_its_owners_alone_and_outlives_the_daemon(guarded_daemon):
    """Mode 0600; the restarted daemon takes the same one, so its clients go on."""
    path = guarded_daemon.folder / "chaos" / "daemon.token"
    before = token_of(guarded_daemon)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    guarded_daemon.kill()
    guarded_daemon.start()
    assert token_of(guarded_daemon) == before


def test_the_client_sends_the_token_it_was_given(guarded_daemon):
    """Without it, or with another, it says what the daemon said."""
    with FaultClient(guarded_daemon.url, token=token_of(guarded_daemon)) as client:
        assert [each.name for each in client.targets().proxies] == ["gateway-orders"]
    for token in ("", "another"):
        with FaultClient(guarded_daemon.url, token=token) as client:
            with pytest.raises(FaultDaemonError, match="a token is needed") as refused:
                client.targets()
            assert refused.value.status == 401


def test_commands_with_the_daemons_data_folder_bring_its_token(guarded_daemon):
    """So `chaos stop --all` works beyond loopback too; without the folder it says what is missing."""
    address = guarded_daemon.url.removeprefix("http://")
    command = [sys.executable, "-m", "ninelives", "chaos", "stop", "--all", "--faults", address]
    refused = subprocess.run([*command, "--data", "nowhere"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert refused.returncode == 1
    assert "a token is needed" in refused.stderr
    done = subprocess.run(
        [*command, "--data", str(guarded_daemon.folder)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
