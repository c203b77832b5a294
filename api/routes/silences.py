"""Silences: asked for, listed, ended; never erased, because they say why nobody was told."""

import secrets
from datetime import UTC, datetime

from fastapi import APIRouter

from alerts.errors import InvalidSilence
from alerts.silence import Silence, new_silence
from api import models as m
from api.alert_records import read_alerts
from api.context import Context, Ctx
from api.problem import ProblemError
from api.silence_answer import silence_answer, silence_row, stored_silences
from storage.silences import save_silence

router = APIRouter(tags=["alerts"])


@router.get("/silences")
def list_silences(ctx: Ctx, *, expired: bool = False) -> m.Page[m.Silence]:
    """Return the silences that are or will be in force, and with *expired* all others too, the newest first."""
    now = datetime.now(UTC)
    found = stored_silences(ctx.database, since=None if expired else now)
    labels = read_alerts(ctx, now, now).open_labels
    newest_first = sorted(found, key=lambda item: (item.created_at, item.id), reverse=True)
    return m.Page(items=[silence_answer(item, labels, now) for item in newest_first])


@router.post("/silences", status_code=201)
def post_silence(ctx: Ctx, asked: m.NewSilence) -> m.Silence:
    """Keep notifications about the alerts that all matchers match from being sent; their end is told all the same."""
    now = _stored(datetime.now(UTC))
    try:
        silence = new_silence(
            f"silence-{secrets.token_hex(4)}",
            asked.matchers,
            starts_at=now if asked.starts_at is None else _stored(asked.starts_at),
            ends_at=_stored(asked.ends_at),
            author=asked.author,
            comment=asked.comment,
            now=now,
            until_resolved=asked.until_resolved,
        )
    except InvalidSilence as error:
        raise ProblemError(422, str(error)) from error
    return _saved(ctx, silence, now)


@router.post("/silences/{silence_id}/expire")
def expire_silence(ctx: Ctx, silence_id: str) -> m.Silence:
    """End a silence now, or call it off before it begins; one that is over stays as it is."""
    found = [item for item in stored_silences(ctx.database) if item.id == silence_id]
    if not found:
        raise ProblemError(404, f"no silence {silence_id!r}; GET /api/v1/silences?expired=true lists all")
    now = _stored(datetime.now(UTC))
    return _saved(ctx, found[0].expired(now), now)


def _saved(ctx: Context, silence: Silence, now: datetime) -> m.Silence:
    save_silence(ctx.database, silence_row(silence), now=now)
    return silence_answer(silence, read_alerts(ctx, now, now).open_labels, now)


def _stored(moment: datetime) -> datetime:
    """Return *moment* as it is stored: to the millisecond, in UTC. One without a zone stays so, to be refused."""
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return cut if cut.tzinfo is None else cut.astimezone(UTC)
