"""Services and caches: what the rollups know."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Ctx
from api.problem import ProblemError
from storage import caches, services
from storage.dependencies import dependencies

router = APIRouter(tags=["services"])

WindowS = Annotated[int, Query(ge=60, le=400 * 86400, description="Length of the window that ends now, in seconds.")]
POINTS = 120  # a chart's steps


def step_for(window_s: int) -> int:
    """Return a step of whole minutes that cuts *window_s* into at most POINTS steps."""
    return 60 * max(1, -(-window_s // (60 * POINTS)))


@router.get("/services")
def list_services(ctx: Ctx, window_s: WindowS = 900) -> m.Page[m.Service]:
    start, end = _window(window_s)
    found = services.services(ctx.database, start=start, end=end)
    return m.Page(items=[m.Service.model_validate(red, from_attributes=True) for red in found])


@router.get("/services/{name:path}")
def get_service(ctx: Ctx, name: str, environment: str = "", window_s: WindowS = 3600) -> m.ServiceDetail:
    start, end = _window(window_s)
    found = services.services(ctx.database, start=start, end=end, service=name)
    red = next((item for item in found if item.environment == environment or not environment), None)
    if red is None:
        raise ProblemError(
            404,
            f"service {name!r} sent no requests in the last {window_s} s; see /api/v1/services",
        )
    steps = services.series(ctx.database, name, red.environment, start=start, end=end, step_s=step_for(window_s))
    operations = services.operations(ctx.database, name, red.environment, start=start, end=end)
    return m.ServiceDetail(
        service=m.Service.model_validate(red, from_attributes=True),
        series=[m.RedPoint.model_validate(step, from_attributes=True) for step in steps],
        operations=[m.Operation.model_validate(operation, from_attributes=True) for operation in operations],
    )


@router.get("/dependencies")
def list_dependencies(ctx: Ctx, service: str, environment: str = "", window_s: WindowS = 900) -> m.Page[m.Dependency]:
    """Return what *service* called in the last *window_s* seconds, the busiest destination first."""
    end = datetime.now(UTC)
    start = end - timedelta(seconds=window_s)
    found = dependencies(ctx.database, service, start=start, end=end, environment=environment)
    return m.Page(items=[m.Dependency.model_validate(each, from_attributes=True) for each in found])


@router.get("/caches")
def list_caches(ctx: Ctx, window_s: WindowS = 3600) -> m.Page[m.Cache]:
    start, end = _window(window_s)
    found = caches.caches(ctx.database, start=start, end=end, step_s=step_for(window_s))
    return m.Page(items=[_cache(item, window_s) for item in found])


def _cache(found: caches.CacheRatio, window_s: int) -> m.Cache:
    fields = {name: getattr(found, name) for name in m.Cache.model_fields if name != "window_s"}
    return m.Cache.model_validate({**fields, "window_s": window_s}, from_attributes=True)


def _window(window_s: int) -> tuple[datetime, datetime]:
    """Return [start, end) with whole minutes, so that a rollup's minutes are inside or outside."""
    end = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    return end - timedelta(seconds=window_s), end
