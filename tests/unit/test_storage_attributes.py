"""Attribute values back into JSON."""

import base64
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from storage.attributes import any_value, decode_map, finite, hidden_types

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


def stored(otlp, attributes):
    """Return *attributes* as queries return them: the hex of each AnyValue."""
    return {key: otlp.value(value).SerializeToString().hex() for key, value in attributes.items()}


@given(st.dictionaries(TEXTS, VALUES, max_size=6))
def test_every_value_comes_back_as_it_was(otlp, attributes):
    found = decode_map(stored(otlp, attributes))
    assert found == attributes
    assert {k: type(v) for k, v in found.items()} == {k: type(v) for k, v in attributes.items()}
    assert list(found) == sorted(attributes)


def test_zero_false_and_empty_text_differ_from_each_other_and_from_an_empty_value(otlp):
    wanted = {"int": 0, "double": 0.0, "bool": False, "text": "", "empty": None}
    found = decode_map(stored(otlp, wanted))
    assert json.dumps(found) == json.dumps(dict(sorted(wanted.items())))


def test_integers_beyond_what_a_double_holds_stay_exact(otlp):
    wanted = {"a": 2**53 + 1, "b": -(2**63), "c": 2**63 - 1}
    assert json.loads(json.dumps(decode_map(stored(otlp, wanted)))) == wanted


def test_bytes_become_base64_wherever_they_stand(otlp):
    text = base64.b64encode(b"\x00\xff").decode()
    found = decode_map(stored(otlp, {"bare": b"\x00\xff", "list": [b"\x00\xff"], "map": {"k": b"\x00\xff"}}))
    assert found == {"bare": text, "list": [text], "map": {"k": text}}


@pytest.mark.parametrize(("value", "text"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_numbers_that_json_does_not_have_become_text_wherever_they_stand(otlp, value, text):
    assert finite(value) == text
    found = decode_map(stored(otlp, {"bare": value, "list": [value], "map": {"k": value}}))
    assert found == {"bare": text, "list": [text], "map": {"k": text}}
    json.dumps(found, allow_nan=False)


def test_types_that_json_hides_are_named_and_no_others(otlp):
    attributes = {
        "b": b"x",
        "whole": 2.0,
        "nan": math.nan,
        "half": 0.5,
        "int": 2,
        "text": "nan",
        "list": [1.0],
        "none": None,
    }
    assert hidden_types(stored(otlp, attributes)) == {"b": "bytes", "whole": "double", "nan": "double"}


def test_the_last_of_equal_keys_in_a_map_wins(otlp):
    value = otlp.value({"key": 1})
    value.kvlist_value.values.extend(otlp.value({"key": 2}).kvlist_value.values)
    assert any_value(value.SerializeToString()) == {"key": 2}


def test_text_that_is_no_utf_8_is_shown_with_replacement_characters():
    data = AnyValue(string_value="abcd").SerializeToString().replace(b"ab", b"\xff\xfe")
    assert any_value(data) == "\ufffd\ufffdcd"


def test_bytes_that_are_no_value_are_shown_as_bytes():
    assert any_value(b"\x0a\xff") == base64.b64encode(b"\x0a\xff").decode()
    assert hidden_types({"k": "0aff"}) == {"k": "bytes"}
