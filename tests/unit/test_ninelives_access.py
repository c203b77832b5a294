"""Who may come in: when tokens are asked for, who makes them, and what is shown of them."""

import os
import stat
import sys

import pytest

from chaos.daemon.token import ensure_token
from dashboard import api_access
from ninelives.access import first_lines, open_access, otlp_headers, seen_from_outside, write_secret
from ninelives.children import Child
from ninelives.compose import addresses, dashboard_command, demo_environment
from ninelives.fault_daemon import connect_faults, faults_token, toolkit_environment
from ninelives.settings import PREFIX, Address, SettingsError, load_settings
from storage.tokens import Token, TokensError, digest, read_tokens, write_tokens


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scopes(access, secret):
    found = access.tokens.find(f"Bearer {secret}")
    return None if found is None else (found.name, found.scopes)


def test_on_loopback_without_a_file_everybody_may_come_in(folder):
    access = open_access(load_settings({}))
    assert access.tokens is None
    assert access.first == ()
    assert not list(folder.rglob("tokens.yaml"))
    assert demo_environment(access) == {}
    assert "--token-file" not in dashboard_command(load_settings({}), access)


def test_the_first_start_beyond_loopback_makes_tokens_and_shows_them_once(folder):
    settings = load_settings({"listen": "0.0.0.0"})
    access = open_access(settings)
    services, people = access.first
    assert scopes(access, services.secret) == ("services", {"ingest"})
    assert scopes(access, people.secret) == ("people", {"read", "operate"})
    assert stat.S_IMODE((folder / ".ninelives" / "tokens.yaml").stat().st_mode) == 0o600

    lines = first_lines(access, "http://10.0.0.1:4318", settings.tokens_path)
    assert "    export OTEL_EXPORTER_OTLP_ENDPOINT=http://10.0.0.1:4318" in lines
    assert "    export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in lines
    assert f"    export OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{services.secret}" in lines
    assert f"    export NINELIVES_TOKEN={people.secret}" in lines

    again = open_access(settings)
    assert again.first == ()
    assert first_lines(again, "http://10.0.0.1:4318", settings.tokens_path) == []
    assert scopes(again, services.secret) == ("services", {"ingest"})


def test_the_exporters_of_an_sdk_send_the_printed_header():
    from opentelemetry.util.re import parse_env_headers

    assert parse_env_headers(otlp_headers("nl_a-b_c"), liberal=True) == {"authorization": "Bearer nl_a-b_c"}


def test_a_file_that_is_there_is_asked_for_on_loopback_too(folder):
    write_tokens(folder / ".ninelives" / "tokens.yaml", [Token("me", frozenset({"admin"}), digest("s"))])
    access = open_access(load_settings({}))
    assert access.first == ()
    assert scopes(access, "s") == ("me", {"admin"})
    assert scopes(access, "t") is None


def test_a_named_file_is_made_where_it_was_named(folder):
    access = open_access(load_settings({"tokens_file": "here/mine.yaml"}))
    assert len(access.first) == 2
    assert [token.name for token in read_tokens(folder / "here" / "mine.yaml")] == ["services", "people"]


def test_a_file_that_cannot_be_used_opens_nothing(folder):
    (folder / "broken.yaml").write_text("tokens: [", "utf-8")
    with pytest.raises(TokensError, match=r"broken\.yaml"):
        open_access(load_settings({"tokens_file": "broken.yaml"}))


def test_our_children_get_tokens_that_no_file_and_no_command_line_holds(folder):
    settings = load_settings({"listen": "0.0.0.0"})
    access = open_access(settings)
    assert scopes(access, access.dashboard) == ("dashboard", {"read"})
    assert scopes(access, access.demo) == ("demo", {"ingest"})
    assert demo_environment(access) == {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{access.demo}"}

    command = dashboard_command(settings, access)
    path = folder / ".ninelives" / "dashboard.token"
    assert command[command.index("--token-file") + 1] == str(path.relative_to(folder))
    assert path.read_text("utf-8") == access.dashboard
    assert not any(access.dashboard in argument for argument in command)
    assert {token.name for token in read_tokens(settings.tokens_path)} == {"services", "people"}


def test_the_dashboards_pages_show_the_token_of_their_file(folder, monkeypatch):
    settings = load_settings({"listen": "0.0.0.0"})
    access = open_access(settings)
    monkeypatch.setattr("sys.argv", dashboard_command(settings, access))
    assert api_access._token() == access.dashboard
    assert api_access.api_url() == "http://127.0.0.1:8080"
    monkeypatch.setattr("sys.argv", ["dashboard.launch", "--api", "http://127.0.0.1:1/"])
    assert api_access._token() == ""


def test_a_child_gets_its_environment_beside_ours(monkeypatch, tmp_path):
    monkeypatch.setenv("OURS", "1")
    code = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(os.environ['OURS'] + os.environ['MORE'])"
    child = Child("x", [sys.executable, "-c", code, str(tmp_path / "out")], respawn=False, environment={"MORE": "2"})
    child._process.wait(10)
    child.stop()
    assert (tmp_path / "out").read_text("utf-8") == "12"


def test_a_secret_is_written_for_its_owner_alone_also_over_an_open_file(folder):
    path = folder / "x" / "secret"
    path.parent.mkdir()
    path.write_text("old", "utf-8")
    path.chmod(0o666)
    write_secret(path, "new")
    assert (path.read_text("utf-8"), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)


def test_one_flag_moves_every_listener_but_the_dashboard_and_the_faults():
    found = load_settings({"listen": "0.0.0.0"})
    assert (found.otlp_http, found.otlp_grpc, found.api) == (
        Address("0.0.0.0", 4318), Address("0.0.0.0", 4317), Address("0.0.0.0", 8080)
    )  # fmt: skip
    assert (found.dashboard.host, found.faults.host) == ("127.0.0.1", "127.0.0.1")
    assert found.api_url == "http://127.0.0.1:8080"
    assert found.beyond_loopback


def test_a_listener_with_an_address_of_its_own_stays_there(monkeypatch):
    monkeypatch.setenv("NINELIVES_API", "127.0.0.1:9000")
    found = load_settings({"listen": "::", "otlp_http": "[::1]:1"})
    assert (found.otlp_http, found.otlp_grpc, found.api) == (
        Address("::1", 1), Address("::", 4317), Address("127.0.0.1", 9000)
    )  # fmt: skip


def test_listening_on_loopback_needs_no_tokens():
    found = load_settings({"listen": "127.0.0.1"})
    assert not found.beyond_loopback
    assert open_access(found).tokens is None


@pytest.mark.parametrize("value", ["0.0.0.0:80", "http://x", "a b", "-x", "1.2.3.4.5"])
def test_what_is_no_address_to_listen_on_is_refused(value):
    with pytest.raises(SettingsError) as refusal:
        load_settings({"listen": value})
    assert str(refusal.value) == f"--listen={value}: use an address without a port, for example 0.0.0.0"


@pytest.mark.parametrize("name", ["otlp_http", "otlp_grpc", "api", "dashboard"])
@pytest.mark.parametrize("brought", [{"tokens_file": "t.yaml"}, {"listen": "0.0.0.0"}, {"token": "nl_x"}])
def test_beyond_loopback_only_with_tokens(name, brought):
    with pytest.raises(SettingsError, match=r"beyond loopback .* tokens are needed"):
        load_settings({name: "0.0.0.0:1"})
    assert load_settings({name: "0.0.0.0:1", **brought}).beyond_loopback


def test_a_command_with_a_token_that_would_serve_makes_a_file_first(folder):
    """NINELIVES_TOKEN lets a command reach an API elsewhere; a server with it still asks for tokens."""
    assert open_access(load_settings({"api": "0.0.0.0:1", "token": "nl_x"})).tokens is not None


def test_the_fault_daemon_may_be_beyond_loopback_and_is_reached_from_here_on_loopback():
    """It makes a token of its own; those of the API open and close nothing there."""
    settings = load_settings({"faults": "0.0.0.0:8474"})
    assert settings.faults.host == "0.0.0.0"
    assert not settings.beyond_loopback
    with connect_faults(settings) as client:
        assert client.base_url == "http://127.0.0.1:8474"


def test_the_token_of_a_fault_daemon_is_read_from_the_data_folder_unless_it_is_set(folder, monkeypatch):
    settings = load_settings({"faults": "127.0.0.1:8474"})
    assert faults_token(settings) == ""
    made = ensure_token(folder / ".ninelives")
    assert faults_token(settings) == made
    assert toolkit_environment(settings) == {
        "NINELIVES_API": "127.0.0.1:8080", "NINELIVES_FAULTS": "127.0.0.1:8474", "NINELIVES_FAULTS_TOKEN": made,
    }  # fmt: skip
    monkeypatch.setenv("NINELIVES_FAULTS_TOKEN", "theirs")
    elsewhere = load_settings({})
    assert faults_token(elsewhere) == "theirs"
    assert "theirs" not in repr(elsewhere)


def test_priorities_are_read_from_text_and_from_the_file(folder, monkeypatch):
    wanted = {"pay": "critical", "a=b": "low"}
    monkeypatch.setenv("NINELIVES_PRIORITIES", "pay=critical,a=b=low")
    assert load_settings({}).priorities == wanted
    monkeypatch.delenv("NINELIVES_PRIORITIES")
    (folder / "ninelives.yaml").write_text("priorities: {pay: critical, a=b: low}\n", "utf-8")
    assert load_settings({}).priorities == wanted


@pytest.mark.parametrize("value", ["pay", "pay=high", "=low"])
def test_a_wrong_priority_is_refused_in_one_line(value):
    with pytest.raises(SettingsError) as refusal:
        load_settings({"priorities": value})
    assert str(refusal.value).startswith(f"--priorities={value}: ")
    assert "critical" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_addresses_are_shown_as_others_reach_them():
    outside = seen_from_outside(Address("0.0.0.0", 80))
    assert outside.host not in {"0.0.0.0", "::", ""}
    assert outside.port == 80
    assert seen_from_outside(Address("127.0.0.1", 80)) == Address("127.0.0.1", 80)
    assert addresses(load_settings({}))["otlp_http"] == "http://127.0.0.1:4318"
    assert "0.0.0.0" not in "".join(addresses(load_settings({"listen": "0.0.0.0"})).values())
