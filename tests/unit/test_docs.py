"""The documents say what the code says: paths and links exist, every command and setting is listed in full."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import ByteSize

from ninelives.cli import main
from ninelives.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / name for name in ("ARCHITECTURE.md", "README.md", "CONTRIBUTING.md")]
DOCUMENTS = [*GUIDES, ROOT / "CHANGELOG.md", ROOT / "deploy" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
NOT_OURS = {"slos", "dist", "build"}  # made by running or building the project
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - NOT_OURS
SOURCE_NAMES = (".py", ".sql", ".proto", ".toml", ".md")


def named_paths(text: str) -> set[str]:
    """Return what stands in backticks and looks like a path of this project: in a top folder, or a source file."""
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    paths = (span.removesuffix("/") for span in spans if re.fullmatch(r"[\w./*-]+", span) and not span.startswith("/"))
    return {path for path in paths if (path.split("/")[0] in FOLDERS and "/" in path) or path.endswith(SOURCE_NAMES)}


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below *command* by its full name."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from walk(below, (*path, name))


COMMANDS = dict(walk(main, ("ninelives",)))


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """Return the sections of docs/commands.md by their headings."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    return {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}


def test_what_counts_as_a_path():
    text = "`slo/budget.py` `storage/queries/` `/healthz` `pyproject.toml` `application/json` `slo list` `x_page.py`"
    assert named_paths(text) == {"slo/budget.py", "storage/queries", "pyproject.toml", "x_page.py"}
    assert named_paths("```\n`slo/none.py`\n```\n") == set()


@pytest.mark.parametrize("document", GUIDES, ids=lambda path: path.name)
def test_every_path_that_a_guide_names_exists(document):
    for path in named_paths(document.read_text(encoding="utf-8")):
        pattern = path.replace("NNNN_verb_noun", "[0-9][0-9][0-9][0-9]_*")
        assert list(ROOT.glob(pattern)), f"`{path}` in {document.name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_link_to_a_file_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{target} in {document.name}"


def test_the_architecture_names_paths_at_all():
    assert len(named_paths((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))) > 40


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_listed_with_its_help_and_its_options(name, sections):
    command, section = COMMANDS[name], sections[name]
    assert " ".join((command.help or "").split()) in section
    for option in command.params:
        if isinstance(option, click.Option):
            assert f"`{option.opts[0]}`" in section, option.opts
            assert (option.help or "").partition(" [NINELIVES_")[0].replace("|", "\\|") in section, option.opts


def test_only_commands_and_options_that_exist_are_listed(sections):
    assert set(sections) == {*COMMANDS, "Settings"}
    for name, command in COMMANDS.items():
        listed = set(re.findall(r"^\| `(--[\w-]+)`", sections[name], flags=re.MULTILINE))
        assert listed == {option.opts[0] for option in command.params if isinstance(option, click.Option)}


def test_every_command_stands_in_the_readme_or_in_the_list_of_commands():
    text = "".join((ROOT / path).read_text(encoding="utf-8") for path in ("README.md", "docs/commands.md"))
    for name in COMMANDS:
        assert name in text


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_listed_with_its_default_and_its_meaning(name, sections):
    field = Settings.model_fields[name]
    rows = [line for line in sections["Settings"].splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` |")]
    assert len(rows) == 1
    assert (field.description or "").replace("|", "\\|") in rows[0]
    assert f"| {shown(field.default)} |" in rows[0]


def shown(default: object) -> str:
    """Return a setting's default as the list shows it."""
    if default in (None, "", []):
        return "none"
    if isinstance(default, list):
        return f"`{':'.join(str(item) for item in default)}`"
    return f"`{default.human_readable()}`" if isinstance(default, ByteSize) else f"`{default}`"


@pytest.mark.parametrize("record", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_number_and_its_four_parts_on_one_page(record):
    lines = record.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"# {record.stem[:4]}: .+", lines[0])
    assert [line[3:] for line in lines if line.startswith("## ")] == ["Context", "Options", "Decision", "Consequences"]
    assert len(lines) <= 60


def test_decisions_are_numbered_without_gaps():
    assert [int(record.name[:4]) for record in DECISIONS] == list(range(1, len(DECISIONS) + 1))
