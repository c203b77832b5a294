"""What an objective compares a threshold metric with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from slo.yaml_value import YamlValue

OPERATORS: Final = ("lte", "gte", "lt", "gt")


@dataclass(frozen=True, slots=True)
class Threshold:
    """`op` and `value` of an objective, and the length of its time slices, which a throughput is counted in."""

    op: YamlValue
    value: YamlValue
    slice_length: timedelta

    def operator(self, allowed: Sequence[str], why: str) -> str:
        """Return the operator, which must be one of *allowed*.

        Raises:
            DocumentError: another; *why* says what the measure means.
        """
        op = read_operator(self.op)
        if op not in allowed:
            raise self.op.error(f"op {op} is the wrong way round: {why}; write {allowed[0]}")
        return op


def read_operator(value: YamlValue) -> str:
    """Return lte, gte, lt or gt.

    Raises:
        DocumentError: it is none of them.
    """
    op = value.choice(OPERATORS)
    if op is None:
        raise value.error(f"op {value.text()!r} is not known; write one of {', '.join(OPERATORS)}")
    return op
