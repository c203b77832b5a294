"""The labels of an alert: its identity in messages, for routing, silences and grouping."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from alerts.errors import InvalidAlert
from alerts.transition import Transition

_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3


def labels_of(transition: Transition) -> dict[str, str]:
    """Return the alert's labels; numbers and trace ids stay out of them, or every message would be a new alert.

    Raises:
        InvalidAlert: a label of its rule has a name that receivers would refuse.
    """
    window = transition.details.slo_window
    return check_label_names(
        dict(transition.labels)
        | {
            "alertname": transition.details.alert_name,
            "rule": transition.rule if transition.rule != transition.slo_id else "",
            "slo_id": transition.slo_id,
            "slo_name": transition.details.slo_name,
            "service_name": transition.service,
            "environment": transition.environment,
            "severity": transition.severity,
            "slo_window": "" if window is None else window.window,
        }
    )


def readable_labels(transition: Transition) -> dict[str, str]:
    """Return `labels_of`, without those of its rule where receivers would refuse them: it is told all the same."""
    try:
        return labels_of(transition)
    except InvalidAlert:
        return labels_of(replace(transition, labels=()))


def check_label_names(labels: Mapping[str, str]) -> dict[str, str]:
    """Return *labels* without the empty ones.

    Raises:
        InvalidAlert: a name that receivers before UTF-8 label names would refuse.
    """
    for name in labels:
        if _NAME.fullmatch(name) is None:
            raise InvalidAlert(f"label name {name!r} must be letters, digits and _; write it with _")
    return {name: value for name, value in labels.items() if value}


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the identity of a label set as Prometheus computes it: FNV-1a over names and values in order of name."""
    digest = _FNV_OFFSET
    for name, value in sorted(labels.items()):
        for byte in (*name.encode(), 0xFF, *value.encode(), 0xFF):
            digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"
