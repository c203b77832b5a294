"""Hostile bodies and the answers that they must get, by the number of their case."""

from tests.integration.otlp_encoding_cases import (
    cut_off,
    deep,
    in_a_row,
    malformed,
    other_signals,
    other_wire_types,
    trailing,
    zero_bytes,
)
from tests.integration.otlp_json_cases import bad_json_items, json_envelopes, no_json, odd_json_items
from tests.integration.otlp_metric_cases import ended_series, odd_points, type_flips
from tests.integration.otlp_trace_cases import bad_ids, odd_codes, odd_parents, odd_sampling, too_many_attributes
from tests.integration.otlp_value_cases import (
    invalid_utf8,
    odd_services,
    odd_text,
    odd_times,
    sql_text,
    twice_the_same_key,
)

CASES = {
    1: zero_bytes,
    2: no_json,
    4: json_envelopes,
    5: cut_off,
    6: trailing,
    7: malformed,
    8: other_wire_types,
    9: in_a_row,
    10: invalid_utf8,
    11: odd_text,
    12: bad_ids,
    13: odd_parents,
    14: other_signals,
    15: odd_times,
    16: deep,
    17: too_many_attributes,
    18: twice_the_same_key,
    19: odd_services,
    35: odd_points,
    36: type_flips,
    37: ended_series,
    38: lambda: [*bad_json_items(), *odd_json_items()],
    39: odd_sampling,
    40: odd_codes,
    45: sql_text,
}
