"""Rules of the tree that nothing else would notice being broken."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from storage.migrate import load_migrations

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def test_no_file_of_the_dashboard_is_named_like_a_package():
    """Streamlit puts the folder first on the path: such a file would hide the package of its name."""
    ours = {path.stem for path in (ROOT / "dashboard").iterdir() if path.suffix == ".py" or path.is_dir()}
    ours -= {"__init__", "__pycache__"}
    installed = set(importlib.metadata.packages_distributions()) | sys.stdlib_module_names
    assert ours & (set(PACKAGES) | installed - {"dashboard"}) == set()
    assert "streamlit" in installed, "the comparison has something to compare with"


def test_every_top_level_package_is_built_and_checked():
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found == set(PACKAGES)
    assert set(PROJECT["tool"]["mypy"]["packages"]) == found
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == found
    assert set(PROJECT["tool"]["ruff"]["lint"]["isort"]["known-first-party"]) == found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (found,) = folder.glob("*.whl")
    with zipfile.ZipFile(found) as archive:
        return archive.namelist()


def test_the_wheel_holds_exactly_our_packages(wheel):
    version = PROJECT["project"]["version"]
    assert {name.partition("/")[0] for name in wheel} == {*PACKAGES, f"ninelives-{version}.dist-info"}


def test_the_wheel_brings_every_file_that_the_packages_read(wheel):
    skipped = {"__pycache__"}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and not skipped & set(path.parts)
    }
    assert wanted <= set(wheel)
    for suffix in (".sql", ".proto", ".yaml", ".css", ".js"):
        assert any(name.endswith(suffix) for name in wheel), suffix


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_pins_exactly_and_names_no_address(lock):
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert pins
    for line in pins:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==[^\s;]+( ; .+)?", line), line
    assert not re.search(r"https?://|--index|--find-links|--extra", "\n".join(lines))


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]),
        ("requirements-dev.lock", [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]),
    ],
)
def test_a_lock_file_holds_everything_that_is_asked_for(lock, wanted):
    names = {re.split(r"[<>=!~\[ ;]", name, maxsplit=1)[0].lower() for name in wanted}
    assert names <= _pins(lock).keys()


def test_tools_are_developed_with_what_users_run():
    used, developed = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert {name: pin for name, pin in used.items() if name in developed} == {
        name: pin for name, pin in developed.items() if name in used
    }


def _pins(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def test_every_migration_is_one_statement_that_says_what_it_does():
    """A server refuses several statements in one call; the embedded engine would not notice."""
    migrations = load_migrations()
    assert migrations
    for migration in migrations:
        code = "\n".join(line for line in migration.sql.splitlines() if not line.lstrip().startswith("--"))
        assert migration.sql.startswith("-- "), migration.name
        assert ";" not in re.sub(r"'(?:[^'\\]|\\.)*'", "", code), migration.name
        assert re.match(r"\d{4}_(create|alter|drop|add|backfill)_\w+$", migration.name), migration.name
        assert code.lstrip().split()[0] in {"CREATE", "ALTER", "DROP", "INSERT"}, migration.name
