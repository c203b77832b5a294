"""The page on SLO files: its examples are read strictly without a remark, and it lists all that there is."""

import re
from pathlib import Path

import pytest

from slo import lint
from slo.budgeting import Freshness, Throughput, Timeslices
from slo.errors import DocumentError
from slo.openslo import read_openslo, read_openslo_files
from slo.openslo_annotations import read_annotations
from slo.openslo_document import KINDS
from slo.openslo_metrics import INSTRUMENTS
from slo.openslo_objective import BUDGETING_METHODS
from slo.openslo_sli import SOURCE_TYPES
from slo.openslo_spans import MEASURES
from slo.policy import SEVERITIES
from tests.unit.openslo_documents import AVAILABILITY, annotated

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "slo-files.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
ANNOUNCED = "notificationTargets are not used"  # the page says so above its example


def _name(text):
    return re.findall(r"name: ([\w-]+)", text)[0]


@pytest.mark.parametrize("text", EXAMPLES, ids=_name)
def test_every_example_is_read_strictly_without_a_remark(text):
    slos, problems = read_openslo(text, "page.yaml", strict=True)
    assert [problem for problem in problems if not problem.reason.startswith(ANNOUNCED)] == []
    assert len(slos) >= text.count("kind: SLO\n")
    for slo in slos:
        assert slo.policy.conditions


def test_the_examples_are_read_together_and_have_every_kind_of_objective():
    slos, problems = read_openslo_files({str(number): text for number, text in enumerate(EXAMPLES)}, strict=True)
    assert [problem for problem in problems if problem.level == "error"] == []
    assert {slo.kind for slo in slos} == {"availability", "latency", "cache", "throughput", "freshness", "custom"}
    assert {type(slo.indicator).__name__ for slo in slos} == {
        "SpanIndicator",
        "CacheIndicator",
        "CounterIndicator",
        "HistogramIndicator",
        "GaugeIndicator",
    }
    assert {type(slo.budgeting) for slo in slos} > {Throughput, Freshness, Timeslices}
    full = next(slo for slo in slos if slo.id == "checkout-with-annotations")
    assert (full.min_total, full.min_bad, len(full.exclusions), full.budgeting.empty) == (100, 5, 2, "good")


def test_the_page_lists_every_check_and_no_other():
    (section,) = re.findall(r"^## Checks\n(.*)", PAGE, flags=re.MULTILINE | re.DOTALL)
    source = Path(lint.__file__).read_text("utf-8")
    found = {*lint._CHECKS, *re.findall(r'Finding\(\s*"([a-z-]+)"', source)}
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", section, flags=re.MULTILINE)) == found


def test_the_page_lists_every_annotation_and_no_other():
    with pytest.raises(DocumentError) as refused:
        read_annotations({"ninelives/x": _AnyValue()})
    known = set(re.findall(r"ninelives/[a-z-]+", str(refused.value))) - {"ninelives/x"}
    assert set(re.findall(r"^\| `(ninelives/[a-z-]+)` \|", PAGE, flags=re.MULTILINE)) == known


class _AnyValue:
    def error(self, reason):
        return DocumentError(reason, 1)


def test_the_page_names_every_field_and_every_word():
    _, problems = read_openslo(AVAILABILITY.replace("target: 0.999", "zzz: 1, target: 0.999"), "f")
    fields = set(problems[0].reason.partition("known here: ")[2].partition(";")[0].split(", "))
    assert "timeSliceTarget" in fields
    _, problems = read_openslo(AVAILABILITY.replace("kind: server}", "kind: server, zzz: 1}"), "f")
    fields |= set(problems[0].reason.partition("known here: ")[2].split(", "))
    words = {*KINDS, *INSTRUMENTS, *BUDGETING_METHODS, *SOURCE_TYPES, *MEASURES, *SEVERITIES}
    for word in fields | words:
        assert f"`{word}`" in PAGE or f"{word}:" in PAGE or f"### {word}" in PAGE, word


def test_an_example_that_is_wrong_would_be_noticed():
    assert read_openslo(annotated("ninelives/ownr: x"), "f", strict=True)[0] == []
