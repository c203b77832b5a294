"""JSON respelt as YAML means the same to both of PyYAML's readers, and keeps its lines."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from slo.errors import DocumentError
from slo.json_text import json_as_yaml

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_both_readers_read_the_values_that_json_has(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    respelt = json_as_yaml(text, "f")
    assert respelt.count("\n") == text.count("\n")
    for loader in LOADERS:
        assert yaml.load(respelt, Loader=loader) == value


@pytest.mark.parametrize("text", ["\\ud83d", "\\\\ud83d\\ude00", "\\n", "\\", '\\"', "a\\/b", "\\U0001F600"])
def test_what_only_looks_like_an_escape_is_left_alone(text):
    assert yaml.safe_load(json_as_yaml(json.dumps(text), "f")) == text


def test_half_a_surrogate_pair_becomes_the_replacement_character():
    assert yaml.safe_load(json_as_yaml('"\\udc00\\ud83d\\ude00\\ud83d"', "f")) == "\ufffd😀\ufffd"


@pytest.mark.parametrize(("text", "reason"), [("9" * 5000, "cannot be read"), ("[" * 10**5, "nested too deep")])
def test_json_that_exhausts_the_reader_is_refused(text, reason):
    with pytest.raises(DocumentError, match=reason):
        json_as_yaml(text, "f")


def test_what_is_no_json_names_its_file_and_line():
    with pytest.raises(DocumentError, match="this is not JSON") as refused:
        json_as_yaml('{\n"a": }', "slo.json")
    assert (refused.value.file, refused.value.line) == ("slo.json", 2)
