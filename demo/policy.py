"""The two configurations of the shop: what its services do about others that are late, down or overloaded."""

from dataclasses import dataclass
from typing import Literal

ConfigurationName = Literal["fragile", "resilient"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a caller in the shop treats the services that it needs.

    `orders_instances` is how many instances of orders the gateway knows; after `orders_attempt_s` without an answer it
    asks another one, if its retry budget allows, and the last one that it asks has `orders_timeout_s`. `keep_alive`
    says whether it keeps its connections to orders. With `cache_fallback`, the catalog asks its database when the cache
    does not answer; without, the request fails.
    """

    orders_instances: int
    orders_attempt_s: float
    orders_timeout_s: float
    keep_alive: bool
    catalog_timeout_s: float
    cache_timeout_s: float
    cache_fallback: bool


FRAGILE = Policy(
    orders_instances=1,
    orders_attempt_s=10.0,
    orders_timeout_s=10.0,
    keep_alive=False,
    catalog_timeout_s=10.0,
    cache_timeout_s=10.0,
    cache_fallback=False,
)
"""What is often found: one instance, generous timeouts, a connection for each request, nothing to fall back to."""
RESILIENT = Policy(
    orders_instances=2,
    orders_attempt_s=0.4,
    orders_timeout_s=2.0,
    keep_alive=True,
    catalog_timeout_s=1.5,
    cache_timeout_s=0.25,
    cache_fallback=True,
)
"""Two instances behind circuit breakers, a retry within a budget, short timeouts, a fallback for the cache."""
POLICIES: dict[ConfigurationName, Policy] = {"fragile": FRAGILE, "resilient": RESILIENT}
DEFAULT: ConfigurationName = "fragile"
