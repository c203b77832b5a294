"""docs/chaos.md says of the files what the models say."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic_core import PydanticUndefined

from chaos.daemon import targets
from chaos.experiments.experiment import BlastRadius, Experiment, GroupSplit, Safeguards
from chaos.experiments.experiment_file import parse_experiment
from chaos.experiments.hypotheses import AlertHypothesis, AvailabilityHypothesis, LatencyHypothesis, SloHypothesis
from chaos.experiments.method import METHODS

GUIDE = (Path(__file__).parents[2] / "docs" / "chaos.md").read_text(encoding="utf-8")
OF_THE_READER = {"name", "toolkit"}  # the file's name, and other people's documents
IN_THE_MODEL = {"hypothesis", "method"}  # required in a file of ours, not in a Chaos Toolkit document

MODELS = {
    "Fields of an experiment": (Experiment, OF_THE_READER),
    "Field of groups": (GroupSplit, set()),
    "Fields of safeguards": (Safeguards, set()),
    "Fields of blast_radius": (BlastRadius, set()),
    "Fields of proxies": (targets.ProxyEntry, set()),
    "Fields of processes": (targets.ProcessEntry, set()),
    "Fields of commands": (targets.CommandEntry, set()),
    "Fields of containers": (targets.ContainerEntry, set()),
    "Fields of caches": (targets.CacheEntry, set()),
    "Fields of pools": (targets.PoolEntry, set()),
    "Fields of limits": (targets.Limits, set()),
}


def rows(heading):
    """Return the cells of the table below *heading*, without its head."""
    section = re.split(r"^##", GUIDE.partition(f"### {heading}\n")[2], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("heading", MODELS)
def test_a_table_has_every_field_with_its_default(heading):
    model, hidden = MODELS[heading]
    told = {words(field)[0]: default for field, default, _ in rows(heading)}
    fields = {name: field for name, field in model.model_fields.items() if name not in hidden}
    assert told.keys() == fields.keys()
    for name, field in fields.items():
        if told[name] == "see below":
            continue
        if told[name] == "required":
            assert field.is_required() or name in IN_THE_MODEL
            continue
        default = field.get_default(call_default_factory=True)
        assert default is not PydanticUndefined
        assert yaml.safe_load(words(told[name])[0]) == default, name


def test_every_part_of_a_targets_file_has_a_table():
    assert {f"Fields of {part}" for part in targets.Targets.model_fields} <= MODELS.keys()


def test_the_four_lines_of_a_hypothesis_have_their_fields():
    lines = {"availability": AvailabilityHypothesis, "latency": LatencyHypothesis, "objective": SloHypothesis,
             "alert": AlertHypothesis}  # fmt: skip
    told = {name: set(words(fields)) for name, fields, _ in rows("Lines of the hypothesis")}
    assert told == {name: set(model.model_fields) for name, model in lines.items()}


def test_every_fault_is_listed_with_its_attributes_and_whether_it_can_spare_requests():
    told = [(words(row[0])[0], words(row[1]), set(words(row[2])), row[4]) for row in rows("Faults")]
    expected = []
    for word, kinds in METHODS.items():
        for kind in kinds:
            chosen = [f"{name}: {_choice(kind, name)}" for name in kind.choices]
            attributes = set(kind.model_fields) - {"target"} - kind.choices
            expected.append((word, chosen, attributes, "yes" if kind.splittable else "no"))
    assert told == expected


def _choice(kind, name):
    (choice,) = kind.model_fields[name].annotation.__args__
    return choice


def test_the_example_of_an_experiment_can_be_read():
    example = next(block for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL) if "hypothesis:" in block)
    found = parse_experiment(example, name="example")
    assert found.method
    assert found.schedule


def test_the_examples_of_targets_can_be_read(tmp_path):
    blocks = [
        block for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL) if "limits:" in block or "undo:" in block
    ]
    assert len(blocks) == 2
    for block in blocks:
        (tmp_path / "targets.yaml").write_text(block)
        assert targets.read_targets(tmp_path / "targets.yaml")


def test_what_the_guide_links_to_is_there():
    docs = Path(__file__).parents[2] / "docs"
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert target.startswith("https://") or (docs / target).exists(), target


def test_anchors_lead_to_headings():
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", GUIDE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= headings
