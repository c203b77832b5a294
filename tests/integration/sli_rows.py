"""SLI minutes as the counting stores them."""

from dataclasses import replace


def with_wholes(groups):
    """Return *groups*, and each minute as a whole; rows without a group are wholes already."""
    found = {}
    for row in groups:
        key = row.series, row.minute
        known = found.get(key, replace(row, group="", good=0, total=0, seen=0))
        found[key] = replace(
            known, good=known.good + row.good, total=known.total + row.total, seen=known.seen + row.seen
        )
    return [*found.values(), *(row for row in groups if row.group)]
