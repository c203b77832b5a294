"""Chaos Toolkit: our extension for its stock runner, and its library as the engine for other people's experiments."""

from importlib.metadata import version
from typing import Any

__all__ = ["discover"]


def discover(discover_system: bool = True) -> dict[str, Any]:
    """Return what this extension offers, for `chaos discover`. There is no system to look at beside it."""
    from chaoslib.discovery.discover import (  # noqa: PLC0415 - our own processes import this package without the toolkit
        discover_actions,
        discover_activities,
        discover_probes,
        initialize_discovery_result,
    )

    found: dict[str, Any] = initialize_discovery_result("ninelives", version("ninelives"), "ninelives")
    found["activities"] = [
        *discover_probes("chaos.toolkit.probes"),
        *discover_actions("chaos.toolkit.actions"),
        *discover_activities("chaos.toolkit.tolerances", "tolerance"),
        *discover_activities("chaos.toolkit.control", "control"),
    ]
    if not discover_system:
        found.pop("system", None)
    return found
