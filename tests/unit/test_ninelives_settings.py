"""Settings: where they come from, what is refused, and that each one is documented."""

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import ByteSize

from ninelives.cli import main
from ninelives.options import setting_flags
from ninelives.settings import PREFIX, Address, Settings, SettingsError, load_settings, parse_address

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working directory and an environment without settings."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_yaml(folder, text):
    (folder / "ninelives.yaml").write_text(text, "utf-8")


def test_a_flag_beats_the_environment_and_the_environment_beats_the_file(folder, monkeypatch):
    assert load_settings({}).retention_raw_days == 14
    write_yaml(folder, "retention_raw_days: 7\nretention_metrics_days: 8\n")
    assert load_settings({}).retention_raw_days == 7
    monkeypatch.setenv("NINELIVES_RETENTION_RAW_DAYS", "6")
    assert load_settings({"retention_raw_days": None}).retention_raw_days == 6
    found = load_settings({"retention_raw_days": "5"})
    assert (found.retention_raw_days, found.retention_metrics_days) == (5, 8)


def test_lists_addresses_and_sizes_are_read_from_text(monkeypatch):
    monkeypatch.setenv("NINELIVES_SLOS", f"a{os.pathsep}b/c.yaml")
    monkeypatch.setenv("NINELIVES_WEBHOOKS", "http://one/x,https://two/y?z=1")
    found = load_settings({"otlp_http": "[::1]:0", "disk_budget": "20GiB", "memory": "1GB"})
    assert found.slos == [Path("a"), Path("b/c.yaml")]
    assert found.webhooks == ["http://one/x", "https://two/y?z=1"]
    assert found.otlp_http == Address("::1", 0)
    assert (found.disk_budget, found.memory_bytes) == (20 << 30, 10**9)


def test_lists_in_the_file_are_lists(folder):
    write_yaml(folder, "slos: [a, b]\nwebhooks:\n  - http://one/x\n")
    found = load_settings({})
    assert (found.slos, found.webhooks) == ([Path("a"), Path("b")], ["http://one/x"])


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("otlp_http", "4318", "host:port"),
        ("otlp_grpc", "127.0.0.1:99999", "65535"),
        ("api", "0.0.0.0:8080", "loopback"),
        ("dashboard", "nonsense", "host:port"),
        ("demo_port", "70000", "65000"),
        ("retention_raw_days", "0", "greater than or equal to 1"),
        ("retention_rollup_days", "soon", "valid integer"),
        ("disk_budget", "much", "byte"),
        ("memory", "1MiB", "256MiB"),
        ("external_url", "example.org", "http://"),
        ("webhooks", "ftp://x", "http://"),
        ("clickhouse", "ftp://x", "chdb:///"),
        ("clickhouse", "chdb://relative/folder", "chdb:///"),
        ("otlp_timeout_s", "31", "less than or equal to 30"),
        ("otlp_connections", "0", "greater than or equal to 1"),
        ("otlp_path_prefix", "otlp", "/otlp"),
        ("otlp_path_prefix", "/a b", "/otlp"),
        ("otlp_cors_origins", "shop.example", "scheme://host"),
        ("otlp_cors_origins", "https://shop.example/path", "scheme://host"),
    ],
)
def test_a_wrong_value_is_one_line_with_setting_value_and_what_is_allowed(monkeypatch, name, value, allowed):
    with pytest.raises(SettingsError) as by_flag:
        load_settings({name: value})
    assert str(by_flag.value).startswith(f"--{name.replace('_', '-')}={value}: ")
    assert allowed in str(by_flag.value)
    monkeypatch.setenv(PREFIX + name.upper(), value)
    with pytest.raises(SettingsError) as by_environment:
        load_settings({})
    assert str(by_environment.value).startswith(f"{PREFIX}{name.upper()}={value}: ")
    assert "\n" not in str(by_flag.value) + str(by_environment.value)


def test_several_wrong_values_are_told_at_once():
    with pytest.raises(SettingsError) as refusal:
        load_settings({"api": "x", "demo_port": "y"})
    assert len(str(refusal.value).splitlines()) == 2


def test_an_unknown_key_in_the_file_is_refused_by_name(folder):
    write_yaml(folder, "retention_days: 3\n")
    wanted = r"ninelives\.yaml: 'retention_days' is no setting; allowed are .*retention_raw_days"
    with pytest.raises(SettingsError, match=wanted):
        load_settings({})


@pytest.mark.parametrize(
    "text",
    ["- a\n- b\n", "just text\n", "a: [1\n", "\ttab: 1\n"],
)
def test_a_file_that_is_no_map_of_settings_is_refused_by_name(folder, text):
    write_yaml(folder, text)
    with pytest.raises(SettingsError, match=r"ninelives\.yaml"):
        load_settings({})


def test_an_empty_file_sets_nothing(folder):
    write_yaml(folder, "# nothing yet\n")
    assert load_settings({}) == load_settings({})


def test_the_database_lies_in_the_data_folder_unless_a_url_says_otherwise(folder):
    assert load_settings({"data": "here"}).clickhouse_url == f"chdb://{folder / 'here'}/clickhouse"
    assert load_settings({"clickhouse": "http://db"}).clickhouse_url == "http://db"


def test_links_lead_to_the_dashboard_unless_a_url_says_otherwise():
    assert load_settings({}).dashboard_url == "http://127.0.0.1:8501"
    assert load_settings({"external_url": "https://obs.example/"}).dashboard_url == "https://obs.example"


@pytest.mark.parametrize("text", ["", ":1", "host", "host:", "host:-1", "host:x", "http://host:1"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="host:port"):
        parse_address(text)


@pytest.mark.parametrize(("given", "limit"), [({}, 100_000), ({"series_limit": "10"}, 10)])
def test_a_service_may_have_so_many_series(given, limit):
    assert load_settings(given).series_limit == limit


def test_a_limit_of_series_that_would_limit_everybody_is_refused():
    with pytest.raises(SettingsError, match="--series-limit=9"):
        load_settings({"series_limit": 9})


def rows():
    """Return the table of docs/settings.md, made from the fields."""
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = os.pathsep.join(map(str, default)) if isinstance(default, list) else default
        shown = shown.human_readable() if isinstance(shown, ByteSize) else shown
        text = "" if shown in {None, ""} else f"`{shown}`"
        yield f"| `--{name.replace('_', '-')}` | `{PREFIX}{name.upper()}` | `{name}` | {text} | {field.description} |"


def test_every_setting_is_documented_and_nothing_else():
    documented = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `--")]
    assert documented == list(rows()), "put these lines into docs/settings.md:\n" + "\n".join(rows())


def test_every_setting_is_a_flag_of_some_command_with_its_description():
    helps = "".join(
        CliRunner().invoke(main, [command, "--help"], terminal_width=1000).output
        for command in ("up", "doctor", "collector", "evaluator")
    )
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')} " in helps
        assert f"{PREFIX}{name.upper()}" in helps
        assert field.description


def test_misuse_is_one_line_on_stderr_and_exit_code_2():
    @click.command()
    @setting_flags("api")
    def command(settings):
        click.echo(str(settings.api))

    assert CliRunner().invoke(command, ["--api", "127.0.0.1:1"]).output == "127.0.0.1:1\n"
    refused = CliRunner().invoke(command, ["--api", "0.0.0.0:1"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("--api=0.0.0.0:1: ")
