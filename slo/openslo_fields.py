"""Fields that the specs of all our metric sources share."""

from decimal import Decimal

from slo.errors import PredicateError
from slo.predicate import Predicate
from slo.predicate_parser import parse_predicate
from slo.yaml_value import YamlFields, YamlValue

COMMON = ("service", "environment", "group_by")


def read_service(fields: YamlFields, default_service: str) -> str:
    """Return `service`, by default the objective's."""
    value = fields.get("service")
    return default_service if value is None else value.text()


def read_environment(fields: YamlFields) -> str | None:
    """Return `environment`, None where all are meant; "" is services that name none."""
    value = fields.get("environment")
    return None if value is None else value.text(empty=True)


def read_groups(fields: YamlFields) -> tuple[str, ...]:
    """Return the attributes of `group_by`."""
    value = fields.get("group_by")
    if value is None:
        return ()
    names = tuple(item.text() for item in value.items())
    if len(set(names)) < len(names):
        raise value.error("group_by names an attribute twice; keep one")
    return names


def read_filter(fields: YamlFields) -> Predicate | None:
    """Return the predicate of `filter`, None where everything counts."""
    value = fields.get("filter")
    return None if value is None else read_predicate(value)


def read_predicate(value: YamlValue) -> Predicate:
    """Return the predicate that *value* spells.

    Raises:
        DocumentError: with the column.
    """
    try:
        return parse_predicate(value.text())
    except PredicateError as error:
        raise value.error(f"{value.name}: {error}") from error


def read_whole_number(value: YamlValue) -> int:
    """Return a whole number above 0.

    Raises:
        DocumentError: it is none.
    """
    number = value.number()
    if number <= 0 or number != number.to_integral_value():
        raise value.error(f"{value.name} {number} must be a whole number above 0")
    return int(number)


def positive(value: YamlValue) -> Decimal:
    """Return a number above 0.

    Raises:
        DocumentError: it is none.
    """
    number = value.number()
    if number <= 0:
        raise value.error(f"{value.name} {number} must be above 0")
    return number
