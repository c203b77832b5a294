from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from demo.item_store import Item

GOLDEN = 0.618_034
"""Multiples of the golden ratio, without their whole parts, are spread evenly whatever their number (Weyl)."""


@dataclass(slots=True)
class ItemCache:
    """The most recently used items, each for at most `ttl_s`. Time is an argument, in seconds of any one clock."""

    size: int
    ttl_s: float
    _entries: OrderedDict[int, tuple[float, Item]] = field(default_factory=OrderedDict)

    def get(self, item_id: int, now: float) -> Item | None:
        """Return the item, or None if it is absent or expired."""
        entry = self._entries.get(item_id)
        if entry is None:
            return None
        if entry[0] <= now:
            del self._entries[item_id]
            return None
        self._entries.move_to_end(item_id)
        return entry[1]

    def put(self, item: Item, now: float) -> None:
        """Keep `item` until `now + ttl_s`, at the cost of the least recently used one if the cache is full."""
        self._keep(item, now + self.ttl_s)

    def warm(self, items: Iterable[Item], now: float) -> None:
        """Keep `items`, the most popular one first. Their ends are spread, so that they do not expire together."""
        popular = list(items)[: self.size]
        for rank, item in reversed(list(enumerate(popular, start=1))):
            self._keep(item, now + self.ttl_s * (rank * GOLDEN % 1))

    def clear(self) -> int:
        """Forget everything and return how many items that were."""
        forgotten = len(self._entries)
        self._entries.clear()
        return forgotten

    def __len__(self) -> int:
        return len(self._entries)

    def _keep(self, item: Item, until: float) -> None:
        self._entries[item.item_id] = (until, item)
        self._entries.move_to_end(item.item_id)
        if len(self._entries) > self.size:
            self._entries.popitem(last=False)
