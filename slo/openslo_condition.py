"""An AlertCondition: one window and one burn rate."""

from datetime import timedelta
from fractions import Fraction
from typing import Final

from slo.duration import parse_shorthand
from slo.errors import InvalidDuration, InvalidPolicy
from slo.openslo_document import read_description
from slo.openslo_threshold import read_operator
from slo.openslo_window import read_duration
from slo.policy import SEVERITIES, BurnRatePair, Severity
from slo.window import MINUTE
from slo.yaml_value import YamlFields, YamlValue

_PAGES: Final = frozenset({"critical", "disaster", "emergency", "high", "p0", "p1", "sev0", "sev1", "urgent"})
_LONG_OVER_SHORT: Final = 12  # Site Reliability Workbook, chapter 5: the short window is a twelfth of the long one


def read_condition(spec: YamlValue) -> BurnRatePair:
    """Return the condition that the `spec` of an AlertCondition describes.

    OpenSLO gives one window; the short one beside it, which ends the alert soon after the trouble, is a twelfth of it,
    in whole minutes, at least one.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    fields = spec.fields(("description", "severity", "condition"))
    read_description(fields)
    severity = _severity(fields.require("severity", "page"))
    condition = fields.require("condition", "{kind: burnrate, op: gt, threshold: 2, lookbackWindow: 1h}").fields(
        ("kind", "op", "threshold", "lookbackWindow", "alertAfter")
    )
    _check_kind(condition)
    _check_operator(condition.require("op", "gt"))
    _check_delay(condition.get("alertAfter"))
    threshold = condition.require("threshold", "2")
    lookback = condition.require("lookbackWindow", "1h")
    long = read_duration(lookback)
    try:
        return BurnRatePair(long, _short(long), Fraction(threshold.number()), severity)
    except InvalidPolicy as error:
        place = threshold if threshold.number() <= 0 else lookback
        raise place.error(str(error)) from error


def _short(long: timedelta) -> timedelta:
    return max(long // _LONG_OVER_SHORT // MINUTE * MINUTE, MINUTE)


def _severity(value: YamlValue) -> Severity:
    written = value.text()
    for severity in SEVERITIES:
        if severity == written.lower():
            return severity
    read: Severity = "page" if written.lower() in _PAGES else "ticket"
    value.warn(f"severity {written!r} is read as {read}; the severities are {' and '.join(SEVERITIES)}")
    return read


def _check_kind(condition: YamlFields) -> None:
    kind = condition.get("kind")
    if kind is None:
        condition.owner.deviate("kind is missing and read as burnrate; write kind: burnrate")
    elif kind.choice(("burnrate",)) is None:
        raise kind.error(f"kind {kind.text()!r} is not known; write burnrate")


def _check_operator(value: YamlValue) -> None:
    op = read_operator(value)
    if op == "gte":
        value.warn("op gte is read as gt: a burn rate that equals the threshold does not alert")
    elif op != "gt":
        value.deviate(f"op {op} would alert while little goes wrong, and is read as gt; write gt")


def _check_delay(value: YamlValue | None) -> None:
    if value is None:
        return
    try:
        written = parse_shorthand(value.text())
    except InvalidDuration as error:
        raise value.error(str(error)) from error
    if written.number:
        value.warn("alertAfter is not waited for: the windows decide when an alert starts")
