import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from demo.shop import PRODUCTS, category

REVIEWS = 40_000
SCHEMA = """
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, price_cents INTEGER NOT NULL);
CREATE TABLE reviews (item_id INTEGER NOT NULL, stars INTEGER NOT NULL);
"""
_ITEMS = (
    "SELECT items.id, name, category, price_cents, avg(stars), count(stars) "
    "FROM items LEFT JOIN reviews ON item_id = items.id"
)
QUERY = f"{_ITEMS} WHERE items.id = ? GROUP BY items.id"
"""Reviews have no index on purpose: the query reads them all and takes a few milliseconds, as real ones do."""


@dataclass(frozen=True, slots=True)
class Item:
    item_id: int
    name: str
    category: str
    price_cents: int
    stars: float | None
    reviews: int


def create_store(path: Path) -> None:
    """Write the products to a new SQLite file at `path`; an existing file is kept."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    rng = random.Random(2000)
    with sqlite3.connect(temporary) as database:
        database.executescript(SCHEMA)
        items = ((n, f"{category(n)} no. {n}", category(n), rng.randint(199, 19_999)) for n in range(1, PRODUCTS + 1))
        database.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", items)
        reviews = ((rng.randint(1, PRODUCTS), rng.randint(1, 5)) for _ in range(REVIEWS))
        database.executemany("INSERT INTO reviews VALUES (?, ?)", reviews)
    database.close()
    temporary.replace(path)


class ItemStore:
    """The catalog's database. Its calls block: use it from one worker thread."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False)

    def read(self, item_id: int) -> Item | None:
        """Return one product with its reviews summed up, or None if there is none."""
        row = self._database.execute(QUERY, (item_id,)).fetchone()
        return None if row is None else Item(*row)

    def read_popular(self, limit: int) -> list[Item]:
        """Return the `limit` most popular products, the most popular one first."""
        rows = self._database.execute(f"{_ITEMS} WHERE items.id <= ? GROUP BY items.id ORDER BY items.id", (limit,))
        return [Item(*row) for row in rows]

    def close(self) -> None:
        self._database.close()
