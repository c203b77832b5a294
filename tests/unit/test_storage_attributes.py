"""Attribute values back into JSON."""

import base64
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from storage.attributes import finite, key_values, merge

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def raw(otlp, value):
    """Return *value* as the views store it: a letter for its kind and the bytes of its message, in hex."""
    held = otlp.value(value)
    match value:
        case list():
            return (b"a" + held.array_value.SerializeToString()).hex()
        case dict():
            return (b"m" + held.kvlist_value.SerializeToString()).hex()
        case bytes():
            return (b"b" + value).hex()
    return b"n".hex()


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=6))
def test_every_value_comes_back_as_it_was(otlp, attributes):
    by_type = {kind: {k: v for k, v in attributes.items() if type(v) is kind} for kind in (str, int, float, bool)}
    raws = {k: raw(otlp, v) for k, v in attributes.items() if v is None or isinstance(v, list | dict)}
    found = merge(*by_type.values(), raws)
    assert found == attributes
    assert {k: type(v) for k, v in found.items()} == {k: type(v) for k, v in attributes.items()}
    assert list(found) == sorted(attributes)


@given(VALUES)
def test_attributes_of_events_and_links_come_back_as_they_were(otlp, value):
    (pair,) = otlp.pairs({"key": value})
    assert key_values([pair.SerializeToString().hex()]) == {"key": value}


def test_integers_beyond_what_a_double_holds_stay_exact():
    wanted = {"a": 2**53 + 1, "b": -(2**63), "c": 2**63 - 1}
    assert json.loads(json.dumps(merge({}, wanted, {}, {}, {}))) == wanted


def test_bytes_become_base64_wherever_they_stand(otlp):
    text = base64.b64encode(b"\x00\xff").decode()
    raws = {"bare": raw(otlp, b"\x00\xff"), "list": raw(otlp, [b"\x00\xff"]), "map": raw(otlp, {"k": b"\x00\xff"})}
    assert merge({}, {}, {}, {}, raws) == {"bare": text, "list": [text], "map": {"k": text}}


@pytest.mark.parametrize(("value", "text"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_numbers_that_json_does_not_have_become_text_wherever_they_stand(otlp, value, text):
    assert finite(value) == text
    found = merge({}, {}, {"bare": value}, {}, {"list": raw(otlp, [value]), "map": raw(otlp, {"k": value})})
    assert found == {"bare": text, "list": [text], "map": {"k": text}}
    json.dumps(found, allow_nan=False)


def test_empty_values_are_there_and_hold_nothing(otlp):
    raws = {"none": raw(otlp, None), "list": raw(otlp, []), "map": raw(otlp, {}), "bytes": raw(otlp, b"")}
    assert merge({}, {}, {}, {}, raws) == {"none": None, "list": [], "map": {}, "bytes": ""}


def test_the_last_of_equal_keys_wins(otlp):
    pairs = [pair.SerializeToString().hex() for value in (1, 2) for pair in otlp.pairs({"key": value})]
    assert key_values(pairs) == {"key": 2}


@pytest.mark.parametrize("kind", [b"a", b"m"])
def test_bytes_that_are_no_list_or_map_are_shown_as_bytes(kind):
    text = b"\xff\xff\xff"
    assert merge({}, {}, {}, {}, {"k": (kind + text).hex()}) == {"k": base64.b64encode(text).decode()}


def test_a_value_inside_a_list_that_is_no_utf_8_costs_only_its_own_attribute(otlp):
    good = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="abcd")])).array_value.SerializeToString()
    bad = good.replace(b"abcd", b"\xff\xfecd")
    found = merge({"other": "stays"}, {}, {}, {}, {"k": (b"a" + bad).hex()})
    assert found == {"k": base64.b64encode(bad).decode(), "other": "stays"}
    assert KeyValueList.FromString(b"") is not None
