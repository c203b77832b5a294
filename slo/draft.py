"""Objectives that nobody wrote yet: every service has two before anyone configures anything."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Final

from slo.indicator import FasterThan, NotError, SpanIndicator
from slo.model import Slo
from slo.policy import NO_POLICY
from slo.window import RollingWindow

DRAFT_SOURCE: Final = "draft"
DRAFT_WINDOW: Final = timedelta(days=30)
AVAILABILITY_TARGET: Final = Decimal("0.999")
LATENCY_TARGET: Final = Decimal("0.95")
LATENCY_THRESHOLD_NS: Final = 200_000_000

_LONGEST_SLUG: Final = 63 - len("-availability")


def drafts(service: str, environment: str) -> tuple[Slo, Slo]:
    """Return the draft objectives of *service* in *environment* ("" where it names none): availability and latency.

    >>> [draft.id for draft in drafts("checkout", "prod")]
    ['checkout-prod-availability', 'checkout-prod-latency']
    """
    return _drafts(service, environment, _slug(service, environment))


def drafts_of(services: Iterable[tuple[str, str]]) -> list[Slo]:
    """Return the drafts of all (service, environment) pairs; where two would share an id, a hash tells them apart."""
    distinct = sorted(set(services))
    uses = Counter(_slug(*pair) for pair in distinct)
    return [
        draft
        for pair in distinct
        for draft in _drafts(*pair, _slug(*pair) if uses[_slug(*pair)] == 1 else _hashed(_slug(*pair), *pair))
    ]


def _drafts(service: str, environment: str, slug: str) -> tuple[Slo, Slo]:
    availability = SpanIndicator(service=service, environment=environment, good=NotError())
    latency = SpanIndicator(service=service, environment=environment, good=FasterThan(LATENCY_THRESHOLD_NS))
    latency_name = f"{service} p95 within {LATENCY_THRESHOLD_NS // 1_000_000} ms"
    return (
        _draft(f"{slug}-availability", f"{service} availability", availability, AVAILABILITY_TARGET),
        _draft(f"{slug}-latency", latency_name, latency, LATENCY_TARGET),
    )


def _draft(slo_id: str, name: str, indicator: SpanIndicator, target: Decimal) -> Slo:
    return Slo(
        id=slo_id,
        name=name,
        service=indicator.service,
        environment=indicator.environment or "",
        indicator=indicator,
        target=target,
        window=RollingWindow(DRAFT_WINDOW),
        policy=NO_POLICY,
        draft=True,
        source=DRAFT_SOURCE,
    )


def _slug(service: str, environment: str) -> str:
    """Return a DNS label that leaves room for the suffix; names without any usable character become a hash."""
    name = f"{service}-{environment}" if environment else service
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return slug if 0 < len(slug) <= _LONGEST_SLUG else _hashed(slug, service, environment)


def _hashed(slug: str, service: str, environment: str) -> str:
    digest = hashlib.blake2b(f"{service}\0{environment}".encode(), digest_size=4).hexdigest()
    return f"{slug[: _LONGEST_SLUG - len(digest) - 1].strip('-') or 'service'}-{digest}"
