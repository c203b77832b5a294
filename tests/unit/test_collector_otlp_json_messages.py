"""OTLP/JSON against the official classes: what protobuf reads from our bytes is what the JSON said."""

import base64
import json
import math

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from collector.otlp_json.encode import Encoded, encode
from tests.unit.otlp_json_requests import REQUESTS

NUMBERS = {
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
}

SCALARS = NUMBERS | {
    FieldDescriptor.TYPE_STRING: st.text(max_size=6),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=17),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_ENUM: st.integers(-1, 30),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False) | st.just(math.nan),
}
DEEPEST_GENERATED = 14
ALWAYS = {"gauge", "sum", "histogram", "exponential_histogram", "summary", "data_points", "array_value", "values"}


@st.composite
def messages(draw, kind):
    request = kind()
    fill(draw, request, 0)
    return request


def fill(draw, message, depth):
    """Set some fields of *message*, always those that lead to items, never attributes nested without end."""
    for field in chosen_fields(draw, message.DESCRIPTOR):
        if field.message_type is None:
            if draw(st.booleans()):
                set_scalar(draw, message, field)
        elif depth < DEEPEST_GENERATED and (depth < 3 or field.name in ALWAYS or draw(st.integers(0, 2)) == 0):
            for _ in range(draw(st.integers(1, 2)) if field.is_repeated else 1):
                target = getattr(message, field.name)
                child = target.add() if field.is_repeated else target
                child.SetInParent()
                fill(draw, child, depth + 1)


def chosen_fields(draw, descriptor):
    """Return the fields of *descriptor*, of each oneof only one."""
    groups = [list(oneof.fields) for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    chosen = {draw(st.sampled_from(group)).name for group in groups}
    in_groups = {field.name for group in groups for field in group}
    return [field for field in descriptor.fields if field.name not in in_groups or field.name in chosen]


def set_scalar(draw, message, field):
    values = SCALARS[field.type]
    if field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
    else:
        setattr(message, field.name, draw(values))


def otlp_json(message, *, with_defaults=False):
    """Return *message* in OTLP/JSON: protobuf's JSON with enums as integers and ids in hexadecimal."""
    printed = json_format.MessageToDict(
        message, use_integers_for_enums=True, always_print_fields_with_no_presence=with_defaults
    )
    return json.dumps(with_hexadecimal_ids(printed)).encode()


def with_hexadecimal_ids(value):
    if isinstance(value, list):
        return [with_hexadecimal_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(each).hex()
        if key in {"traceId", "spanId", "parentSpanId"}
        else with_hexadecimal_ids(each)
        for key, each in value.items()
    }


def same(signal, encoded: Encoded, message):
    """Compare as bytes: equality of messages would call NaN different from itself and -0.0 equal to 0.0."""
    assert (encoded.rejected, encoded.message) == (0, "")
    parsed = REQUESTS[signal].FromString(encoded.data)
    return parsed.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


@pytest.mark.parametrize("signal", REQUESTS)
def test_every_message_reads_back_as_it_was_before_it_was_json(signal):
    @settings(max_examples=60, deadline=None, phases=[Phase.reuse, Phase.generate])  # to shrink requests takes minutes
    @given(messages(REQUESTS[signal]), st.booleans())
    def holds(message, with_defaults):
        assert same(signal, encode(signal, otlp_json(message, with_defaults=with_defaults)), message)

    holds()
