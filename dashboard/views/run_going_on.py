"""A run that goes on, in one line."""

from datetime import datetime

from dashboard.views import looks, runs, texts
from dashboard.views.markup import Markup, lines, link, muted


def line(item: runs.AnyRun, now: datetime) -> Markup:
    """Return what runs, what it breaks and for how long it has."""
    services = texts.names(item.services, most=5)
    told = " · ".join(part for part in (runs.method(item.method), services, runs.took(item, now)) if part)
    return lines(link(runs.href(item.id), looks.run(item, now), " ", runs.name(item, 120)), muted(told))
