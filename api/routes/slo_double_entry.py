"""Whether the spans that an objective counts are all that its service served."""

from datetime import UTC, datetime

from fastapi import APIRouter

from api import models as m
from api.context import Ctx
from api.double_entry import entries, entry_of
from api.slo_answer import find_slo
from storage.double_entry import HTTP, RPC

router = APIRouter(tags=["slos"])


@router.get("/slos/{slo_id}/double-entry")
def get_double_entry(ctx: Ctx, slo_id: str) -> m.SloDoubleEntry:
    """Return the requests of the objective's service by its own metrics, against the spans that arrived, in an hour.

    Kept for a minute.
    """
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    found = entries(ctx, now)
    entry = entry_of(found, slo)
    if entry is None:
        return m.SloDoubleEntry(
            verdict="not counted",
            start=found.start,
            end=found.end,
            requests=0,
            spans=0,
            gap=None,
            sampled_one_in=None,
            text=f"no metric counts its requests; {', '.join((*HTTP, *RPC))} would",
        )
    return m.SloDoubleEntry(
        verdict=entry.verdict,
        start=found.start,
        end=found.end,
        requests=entry.requests,
        spans=entry.spans,
        gap=entry.gap,
        sampled_one_in=entry.sampled_one_in,
        text=entry.text,
    )
