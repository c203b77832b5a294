"""What got slower or fails more."""

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter

from api import models as m
from api.context import Ctx
from slo.regression import Change, LatencyChange
from storage import regressions

router = APIRouter(tags=["services"])


@router.get("/services/{name:path}/regressions")
def get_regressions(
    ctx: Ctx, name: str, environment: str = "", against: Literal["version", "hour", "week"] = "version"
) -> m.ServiceRegressions:
    """Compare the operations of one service with its version before, the hour before, or this hour a week before.

    Of a version it is the last day that it served, of the last 14 days.
    """
    found = regressions.regressions(ctx.database, name, environment, against=against, now=datetime.now(UTC))
    if found is None:
        text = f"no two versions (service.version) had {regressions.ENOUGH} requests in the last 14 days"
        return _answer(name, environment, against, ("", ""), 0, text, [])
    before, after = _named(found.before), _named(found.after)
    text = f"{after} against {before}: {found.compared} operations had {regressions.ENOUGH} requests on both sides"
    items = [item for each in found.changes for item in _changes(each)]
    return _answer(name, environment, against, (before, after), found.compared, text, items)


def _answer(
    name: str,
    environment: str,
    against: Literal["version", "hour", "week"],
    sides: tuple[str, str],
    compared: int,
    text: str,
    items: list[m.OperationChange],
) -> m.ServiceRegressions:
    return m.ServiceRegressions(
        service=name,
        environment=environment,
        against=against,
        before=sides[0],
        after=sides[1],
        compared=compared,
        text=text,
        items=items,
    )


def _named(side: regressions.Side) -> str:
    if side.version is not None:
        return f"version {side.version}"
    return f"{side.start:%Y-%m-%d %H:%M} to {side.end:%H:%M} UTC"


def _changes(each: regressions.OperationChange) -> list[m.OperationChange]:
    return [
        _change(each, "errors", each.errors, None),
        _change(each, "latency", each.latency.slow, each.latency),
    ]


def _change(
    each: regressions.OperationChange,
    measure: Literal["errors", "latency"],
    change: Change,
    latency: LatencyChange | None,
) -> m.OperationChange:
    before, after, interval = change.before, change.after, change.interval
    return m.OperationChange(
        operation=each.name,
        kind=each.kind,
        measure=measure,
        verdict=change.verdict,
        requests_before=before.total,
        requests_after=after.total,
        before=before.bad / before.total if before.total else None,
        after=after.bad / after.total if after.total else None,
        difference=change.difference,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        before_ms=None if latency is None else latency.before_ms,
        after_ms=None if latency is None else latency.after_ms,
        reason=change.reason,
    )
