"""What is wrong with indicators while they are counted, as texts for people."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

KEPT = timedelta(minutes=10)  # a fault shows in the minutes that it happens in; it is told of for some time


class Faults:
    """Problems of series, by kind: those of a kind replace each other, and old ones are forgotten."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], tuple[list[str], datetime | None]] = {}

    def note(self, kind: str, problems: Mapping[int, Iterable[str]], now: datetime) -> None:
        """Note what was found at *now*, and forget what of *kind* was not found again for ten minutes."""
        for series, texts in problems.items():
            self._found[series, kind] = (list(texts), now)
        for key, (_, at) in list(self._found.items()):
            if key[1] == kind and at is not None and now - at > KEPT:
                del self._found[key]

    def replace(self, kind: str, problems: Mapping[int, Iterable[str]]) -> None:
        """Note all there is of *kind* now."""
        self._found = {key: value for key, value in self._found.items() if key[1] != kind}
        self._found |= {(series, kind): (list(texts), None) for series, texts in problems.items()}

    def of(self, series: int) -> list[str]:
        """Return what is wrong with *series*."""
        return [text for (key, _), (texts, _) in sorted(self._found.items()) if key == series for text in texts]
