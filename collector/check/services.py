"""Which services sent a request."""

from collections.abc import Iterable
from typing import Any

UNKNOWN_SERVICE = "unknown_service"
NAME_CHARACTERS = 255
LAST_ATTRIBUTES = 1_000  # a resource has about 10; beyond this only its last ones are read


def service_names(resource_groups: Iterable[Any]) -> frozenset[str]:
    """Return the `service.name` of every resource, at most 255 characters each.

    One that is missing, empty or no string is "unknown_service", as it is in the tables.
    """
    return frozenset(_service_name(group.resource.attributes) for group in resource_groups)


def _service_name(attributes: Any) -> str:
    for attribute in reversed(attributes[-LAST_ATTRIBUTES:]):  # of equal keys the last one wins
        if attribute.key == b"service.name":
            return _text(attribute.value)[:NAME_CHARACTERS] or UNKNOWN_SERVICE
    return UNKNOWN_SERVICE


def _text(value: Any) -> str:
    name: bytes = value.string_value  # empty when it is of another kind
    return name.decode(errors="replace")
