"""The files in deploy/ say what the code says: ports, settings, packages, components."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

from ninelives.cli import main
from ninelives.settings import LOOPBACK, PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
INSTRUCTIONS = {
    "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "HEALTHCHECK", "ENTRYPOINT", "CMD", "ARG", "EXPOSE",
    "LABEL", "STOPSIGNAL", "SHELL", "ADD",
}  # fmt: skip
TEXTS = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """Return (instruction, arguments) of each logical line."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines)]


@pytest.fixture(scope="module")
def stages(dockerfile: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for line in dockerfile:
        if line[0] == "FROM":
            found.append([])
        found[-1].append(line)
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def collector() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "otel-collector.yaml").read_text(encoding="utf-8"))


def copied(dockerfile: list[tuple[str, str]]) -> list[str]:
    """Return the sources of every COPY from the project's folder."""
    copies = [arguments.split() for name, arguments in dockerfile if name == "COPY" and "--from=" not in arguments]
    return [source for words in copies for source in words[:-1]]


def port_of(url: str) -> int | None:
    return urlsplit(url if "//" in url else f"//{url}").port


def default_port(name: str) -> int:
    return Settings.model_fields[name].default.port


def test_the_dockerfile_has_only_known_instructions_and_begins_each_stage_with_a_python_image(dockerfile, stages):
    assert {name for name, _ in dockerfile} <= INSTRUCTIONS
    assert dockerfile[0][0] == "FROM"
    assert len(stages) == 2
    assert all(stage[0][1].startswith("python:3.11-slim") for stage in stages)


def test_the_image_starts_ninelives_as_an_ordinary_user_after_everything_is_in_place(stages):
    final = stages[-1]
    order = [name for name, _ in final]
    user = dict(final)["USER"]
    assert user not in {"root", "0"}
    assert f"useradd --system --uid 10001 --create-home {user}" in final[1][1]
    assert order.index("COPY") < order.index("USER") < order.index("VOLUME") < order.index("ENTRYPOINT")
    assert order[-2:] == ["ENTRYPOINT", "CMD"]
    assert dict(final)["ENTRYPOINT"] == '["ninelives"]'


def test_the_entry_point_and_the_commands_of_the_deployment_exist(stages, compose):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts["ninelives"] == "ninelives.cli:main"
    started = [
        yaml.safe_load(dict(stages[-1])["CMD"]),
        *(s["command"] for s in compose["services"].values() if "command" in s),
    ]
    for words in started:
        assert isinstance(main.get_command(click.Context(main), words[0]), click.Command), words


def test_every_copied_source_exists_and_is_not_ignored(dockerfile):
    allowed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
    sources = copied(dockerfile)
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source in allowed, source


def test_the_image_holds_every_package_of_the_wheel_and_its_licence(dockerfile):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert packages | {project["project"]["readme"], *project["project"]["license-files"]} <= set(copied(dockerfile))


def test_the_image_installs_the_versions_of_the_lock(dockerfile):
    installs = [
        part for name, line in dockerfile if name == "RUN" for part in line.split("&&") if "pip install" in part
    ]
    assert installs
    for install in installs:
        words = shlex.split(install)
        assert "--no-deps" in words or words[words.index("--constraint") + 1] == "requirements.lock", install


def test_the_health_check_asks_the_default_address_of_the_api(stages):
    check = dict(stages[-1])["HEALTHCHECK"]
    url = re.search(r"http://[^']+", check)
    assert url
    assert urlsplit(url[0]).path == "/healthz"
    assert port_of(url[0]) == default_port("api")


def test_the_data_folder_of_the_image_is_its_volume(stages):
    final = dict(stages[-1])
    assert f"NINELIVES_DATA={final['VOLUME']}" in final["ENV"]
    assert f"--owner {final['USER']} --group {final['USER']} {final['VOLUME']}" in stages[-1][1][1]


def test_compose_has_a_database_ninelives_and_the_demo_and_declares_every_volume(compose):
    services = compose["services"]
    assert set(services) == {"clickhouse", "ninelives", "demo"}
    for name, service in services.items():
        assert {"image", "restart", "volumes", "healthcheck" if name != "ninelives" else "build"} <= set(service), name
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in compose["volumes"], volume
        for other in service.get("depends_on", {}):
            assert other in services
    assert (DEPLOY / services["ninelives"]["build"]["context"] / services["ninelives"]["build"]["dockerfile"]).is_file()
    assert services["demo"]["image"] == services["ninelives"]["image"]


def test_the_database_image_is_pinned_and_its_password_comes_from_the_environment(compose):
    database = compose["services"]["clickhouse"]
    assert re.fullmatch(r"clickhouse/clickhouse-server:\d+\.\d+(\.\d+)*", database["image"])
    assert database["environment"]["CLICKHOUSE_PASSWORD"].startswith("${CLICKHOUSE_PASSWORD:?")
    assert "${CLICKHOUSE_PASSWORD}" in compose["services"]["ninelives"]["environment"]["NINELIVES_CLICKHOUSE"]


def test_ninelives_reaches_the_database_by_the_published_address_and_the_user_that_was_created(compose):
    from storage.client import parse_url

    database = compose["services"]["clickhouse"]
    url = compose["services"]["ninelives"]["environment"]["NINELIVES_CLICKHOUSE"]
    address = parse_url(url.replace("${CLICKHOUSE_PASSWORD}", "secret"))
    assert f"{address.host}:{address.port}:8123" in database["ports"]
    assert (address.user, address.database) == (
        database["environment"]["CLICKHOUSE_USER"],
        database["environment"]["CLICKHOUSE_DB"],
    )


def test_nothing_is_published_beyond_loopback(compose):
    for name, service in compose["services"].items():
        assert service.get("network_mode") == "host" or service.get("ports"), name
        assert all(port.split(":")[0] in LOOPBACK for port in service.get("ports", []))


def test_the_collector_pipelines_name_only_declared_components(collector):
    service = collector["service"]
    assert set(service["pipelines"]) == {"traces", "metrics", "logs"}
    assert set(service["extensions"]) <= set(collector["extensions"])
    used = {kind: set() for kind in ("receivers", "processors", "exporters")}
    for pipeline in service["pipelines"].values():
        for kind, names in used.items():
            assert set(pipeline[kind]) <= set(collector[kind])
            names.update(pipeline[kind])
    assert used == {kind: set(collector[kind]) for kind in used}, "a component is declared and not used"


def test_the_collector_forwards_to_the_default_ports_and_takes_others_itself(collector):
    exporters = collector["exporters"]
    assert port_of(exporters["otlphttp/ninelives"]["endpoint"]) == default_port("otlp_http")
    assert port_of(exporters["otlp/ninelives"]["endpoint"]) == default_port("otlp_grpc")
    ours = {default_port(name) for name in ("otlp_http", "otlp_grpc", "api", "dashboard", "faults")}
    for protocol in collector["receivers"]["otlp"]["protocols"].values():
        assert port_of(protocol["endpoint"]) not in ours


def test_the_collector_keeps_its_queues_on_disk_and_retries_without_end(collector):
    for name, exporter in collector["exporters"].items():
        assert exporter["sending_queue"]["storage"] in collector["service"]["extensions"], name
        assert exporter["retry_on_failure"] == {
            "enabled": True,
            "initial_interval": "1s",
            "max_interval": "30s",
            "max_elapsed_time": "0s",
        }


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_setting_that_a_file_names_exists(path):
    for name in re.findall(rf"{PREFIX}([A-Z_]+)", path.read_text(encoding="utf-8")):
        assert name.lower() in Settings.model_fields, f"{PREFIX}{name} in {path.name}"


def test_the_readme_names_the_default_ports():
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for name in ("dashboard", "otlp_http", "otlp_grpc"):
        assert str(Settings.model_fields[name].default) in text
