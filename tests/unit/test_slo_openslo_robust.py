"""Whatever stands in a file, reading it tells what is wrong and never fails itself."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.openslo import read_openslo_files

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "slo-files.md").read_text("utf-8")
DOCUMENTS = [
    document
    for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    for document in yaml.safe_load_all(text)
]
NAMES = sorted(set(re.findall(r"[A-Za-z_-]+", PAGE)))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.sampled_from(
        ["", "0m", "1M", "999999999999Y", "lte", "a = 1", "error", "1e999", "2026-01-01 00:00:00", "spans"]
    ),
    st.sampled_from(NAMES),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([{}]),
    st.just([[1]]),
    st.just({"a": "b"}),
    st.just({1: 2}),
)


def _places(value, path=()):
    """Yield the path to every value below *value*."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*path, key)
        yield from _places(below, (*path, key))


@st.composite
def damaged(draw):
    """Return a few documents of the page, with some of their values replaced, removed or doubled under another name."""
    documents = copy.deepcopy(draw(st.lists(st.sampled_from(DOCUMENTS), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(1, 3))):
        document = draw(st.sampled_from(documents))
        *path, last = draw(st.sampled_from(list(_places(document))))
        owner = document
        for step in path:
            owner = owner[step]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                owner[last] = copy.deepcopy(draw(VALUES))
            case "remove":
                del owner[last]
            case _ if isinstance(owner, dict):
                owner[draw(st.sampled_from(NAMES))] = copy.deepcopy(draw(VALUES))
            case _:
                owner.append(copy.deepcopy(draw(VALUES)))
        documents = [document for document in documents if document] or [{"kind": "SLO"}]
    return documents


@settings(max_examples=80)
@given(damaged(), st.booleans())
def test_damaged_documents_are_told_and_never_raise(documents, strict):
    are_told(documents, strict=strict)


@pytest.mark.long
@settings(max_examples=5000)
@given(damaged(), st.booleans())
def test_documents_however_damaged_are_told_and_never_raise(documents, strict):
    are_told(documents, strict=strict)


def are_told(documents, *, strict):
    text = yaml.safe_dump_all(documents)
    slos, problems = read_openslo_files({"f": text}, strict=strict)
    assert len({slo.id for slo in slos}) == len(slos)
    for problem in problems:
        assert problem.reason
        assert problem.line is None or 1 <= problem.line <= text.count("\n") + 1
    if strict:
        lenient, remarks = read_openslo_files({"f": text})
        # strict reading yields a part of what lenient reading does, and the same otherwise
        assert [slo for slo in lenient if slo in slos] == slos
        assert any(problem.level == "error" for problem in problems) or lenient == slos
        assert sum(p.level == "error" for p in remarks) <= sum(p.level == "error" for p in problems)
