"""Facts about the shop that its services, its load and its history share."""

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Literal

NAMESPACE = "shop"
VERSION = "1.4.2"
SERVICES = ("item-cache", "catalog", "orders", "gateway")
PRODUCTS = 2000
CATEGORIES = ("books", "garden", "kitchen", "music", "outdoor", "pets", "toys", "travel")
CACHE_NAME = "catalog"
ZIPF_EXPONENT = 1.2
"""With a cache of 800 of the 2,000 products this gives a hit ratio of about 0.9."""

Page = Literal["home", "product", "checkout"]
PAGE_SHARES: dict[Page, float] = {"home": 0.15, "product": 0.5, "checkout": 0.35}


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a service. `name` is what its pid file, its log and its target for faults are called."""

    name: str
    service: str
    number: int = 1


INSTANCES = (
    Instance("item-cache", "item-cache"),
    Instance("catalog", "catalog"),
    Instance("orders", "orders"),
    Instance("orders-2", "orders", 2),
    Instance("gateway", "gateway"),
)
"""In the order in which they are started; they are stopped in the opposite one, callers first."""


def category(product_id: int) -> str:
    return CATEGORIES[product_id % len(CATEGORIES)]


def cache_key(product_id: int) -> str:
    """Return the group of cache keys that a product belongs to: few values, so that it can be grouped by."""
    return f"item:{category(product_id)}"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a visitor. `product_id` is None on the home page."""

    page: Page
    product_id: int | None


@cache
def _zipf() -> tuple[float, ...]:
    return tuple(accumulate(1 / rank**ZIPF_EXPONENT for rank in range(1, PRODUCTS + 1)))


@dataclass(slots=True)
class Visitors:
    """An endless stream of visits: a few products are asked for much more often than the others (Zipf's law)."""

    rng: random.Random
    _cumulative: tuple[float, ...] = field(default_factory=_zipf)

    def product_id(self) -> int:
        """Return a product id of 1..PRODUCTS; id 1 is the most popular one."""
        return bisect_right(self._cumulative, self.rng.random() * self._cumulative[-1], hi=PRODUCTS - 1) + 1

    def __iter__(self) -> Iterator[Visit]:
        return self

    def __next__(self) -> Visit:
        page = self.rng.choices(tuple(PAGE_SHARES), tuple(PAGE_SHARES.values()))[0]
        return Visit(page, None if page == "home" else self.product_id())
