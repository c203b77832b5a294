"""The life of an objective: its revisions, backtests, the gate, and the monthly report."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Context, Ctx
from api.problem import ProblemError
from api.routes.maintenance import maintenance_answer
from api.slo_answer import find_slo
from api.slo_backtest import run_backtests
from api.slo_report import report_answer, slo_months
from slo.definition import definition_of
from slo.errors import InvalidObjective
from slo.evaluation import window_bounds
from slo.exclusion import total_excluded
from slo.gate import decide_gate
from slo.model import Slo
from slo.report import month_bounds
from slo.revision import Revision, diff_text
from storage.maintenance import maintenance, maintenance_exclusions
from storage.slo_revisions import load_revisions
from storage.slo_windows import LATENESS, slo_windows
from storage.standing import standings

router = APIRouter(tags=["slos"])


# registered before the routes of one objective: "report" would be taken for its id
@router.get("/slos/report")
def get_slo_report(ctx: Ctx, month: str, drafts: bool = False) -> m.SloReport:
    """Return *month* (2026-10, in UTC) of all objectives, drafts only if asked for; of a month that goes on, so far."""
    now = datetime.now(UTC)
    start, following = _month(month)
    _, latest = window_bounds(now, timedelta(0), max(LATENESS.values()))
    if latest <= start:
        raise ProblemError(422, f"month={month!r} has not begun; ask for one up to {now:%Y-%m}")
    end = min(following, latest)
    slos = [slo for slo in ctx.catalog.load(ctx.database, now).slos.values() if drafts or not slo.draft]
    months = slo_months(ctx.database, sorted(slos, key=lambda slo: slo.id), start, end)
    return report_answer(month, start, end, complete=end == following, months=months)


@router.post("/slos/backtest")
def post_backtest(ctx: Ctx, asked: m.BacktestRequest) -> m.Page[m.Backtest]:
    """Return what each objective of an OpenSLO text, or one that is there, would have done in the past."""
    return m.Page(items=run_backtests(ctx, asked, datetime.now(UTC)))


@router.get("/slos/{slo_id}/gate")
def get_gate(ctx: Ctx, slo_id: str, min_budget: Annotated[Decimal, Query(le=1)], allow_no_data: bool = False) -> m.Gate:
    """Return whether at least *min_budget* (0..1) of the error budget is left; compared exactly."""
    if not min_budget.is_finite():
        raise ProblemError(422, f"min_budget={min_budget} must be a number up to 1, such as 0.2")
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    (standing,) = standings(ctx.database, [slo], now)
    found = standing.evaluation
    decision = decide_gate(slo, found, end=standing.as_of, min_budget=min_budget, allow_no_data=allow_no_data)
    return m.Gate(
        slo_id=slo.id,
        passes=decision.passes,
        reason=decision.reason,
        min_budget=float(min_budget),
        error_budget_remaining=found.error_budget_remaining,
        state=found.state,
        provisional=found.provisional,
        as_of=standing.as_of,
    )


@router.get("/slos/{slo_id}/revisions")
def list_revisions(ctx: Ctx, slo_id: str) -> m.Page[m.SloRevision]:
    """Return the revisions of an objective, oldest first; also of one whose file is gone."""
    return m.Page(items=_revisions(ctx, slo_id))


@router.get("/slos/{slo_id}/details")
def get_details(ctx: Ctx, slo_id: str) -> m.SloDetails:
    """Return what is on record about an objective: its definition, its revisions, its maintenance."""
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    end = slo_windows(slo, now).end
    start, _ = slo.window.period(end)
    exclusions = (*maintenance_exclusions(ctx.database, slo, start, end), *slo.exclusions)
    return m.SloDetails(
        slo_id=slo.id,
        definition=definition_of(slo),
        revisions=_revisions(ctx, slo.id),
        maintenance=[
            maintenance_answer(item) for item in maintenance(ctx.database, start=start) if item.applies_to(slo)
        ],
        excluded_s=total_excluded(exclusions, start, end).total_seconds(),
        as_of=end,
    )


def _month(month: str) -> tuple[datetime, datetime]:
    try:
        return month_bounds(month)
    except InvalidObjective as error:
        raise ProblemError(422, str(error)) from error


def _revisions(ctx: Context, slo_id: str) -> list[m.SloRevision]:
    found = load_revisions(ctx.database, [slo_id]).get(slo_id, ())
    befores: list[Slo | None] = [None, *(revision.slo for revision in found)]
    return [_revision(revision, before) for revision, before in zip(found, befores, strict=False)]


def _revision(revision: Revision, before: Slo | None) -> m.SloRevision:
    return m.SloRevision(
        number=revision.number,
        at=revision.at,
        author=revision.author,
        commit=revision.commit,
        target=float(revision.slo.target),
        window=str(revision.slo.window),
        change=diff_text(before, revision.slo),
    )
