"""What an alert brings along, as a page, and the link that acknowledges it: both work with everything else down."""

from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from alerts.errors import InvalidLink
from alerts.evidence_page import ACKNOWLEDGE_SLOT
from alerts.link_page import link_page
from alerts.signing import SHOWING, token_digest
from alerts.transition import Transition
from api.auth import require_alert
from api.context import Context, Ctx
from api.link_answer import page, refused
from storage.acknowledgements import AcknowledgementRow, acknowledge, acknowledgements, link_was_used
from storage.alert_evidence import evidence
from storage.transitions import transitions

# pages for people, not data for programs: they are not part of the OpenAPI document
router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

SHOWN_FOR = timedelta(days=400)
BY_LINK = "the link in a message"


@router.head("/alerts/{alert_id}/evidence")
@router.get("/alerts/{alert_id}/evidence")
def show_evidence(ctx: Ctx, alert_id: str, token: str = "") -> Response:
    """Return the page that was made when the alert fired. *token* is that of a signed link, for who has no other.

    Who has the link of a message may acknowledge from there; who was shown one by the API may do what the API allows.
    """
    now = datetime.now(UTC)
    try:
        by_message = _opens(ctx, token, alert_id, now)
    except InvalidLink as error:
        return refused(str(error))
    found = evidence(ctx.database, alert_id)
    if found is None:
        text = (
            f"Nothing was gathered for {alert_id!r}. That takes up to 10 minutes after an alert fires; load this page"
            f" again. 'ninelives alerts show {alert_id}' tells what is known until then."
        )
        return page(link_page("No evidence yet", text), status=404)
    may_acknowledge = ctx.links is not None and (ctx.tokens is None or by_message)
    filled = _acknowledging(ctx, alert_id, now) if may_acknowledge else ""
    return page(found[1].replace(ACKNOWLEDGE_SLOT, filled, 1))


@router.get("/acknowledge")
def ask_to_acknowledge(ctx: Ctx, token: str) -> Response:
    """Return a page with one button. Opening it changes nothing: scanners of mail open every link."""
    now = datetime.now(UTC)
    try:
        alert = _acknowledgeable(ctx, token, now)
    except InvalidLink as error:
        return refused(str(error))
    known = _known(ctx, alert.alert_id)
    if known:
        return page(link_page("Already acknowledged", known))
    text = f"{alert.summary}. It fired at {alert.started_at:%H:%M} UTC. Acknowledge it, and reminders of it stop."
    return page(link_page(alert.details.slo_name, text, button="Acknowledge", token=token), form=True)


@router.post("/acknowledge")
def acknowledge_by_link(ctx: Ctx, token: str) -> Response:
    """Acknowledge the alert that *token* was signed for, once."""
    now = datetime.now(UTC)
    try:
        alert = _acknowledgeable(ctx, token, now)
    except InvalidLink as error:
        return refused(str(error))
    if not _known(ctx, alert.alert_id):
        row = AcknowledgementRow(alert.alert_id, now, BY_LINK, "", "link", token_digest(token))
        acknowledge(ctx.database, row)
    return page(link_page("Acknowledged", f"{_known(ctx, alert.alert_id)} You may close this page."))


def _opens(ctx: Context, token: str, alert_id: str, now: datetime) -> bool:
    """Return whether the link of a message was used. One that the API has shown is as good for seeing the page.

    Raises:
        InvalidLink: a link was used, and is wrong.
    """
    if not token or ctx.links is None:
        return False
    purpose, signed_for = ctx.links.read(token, SHOWING, now)
    require_alert(signed_for, alert_id)
    return purpose == "evidence"


def _acknowledgeable(ctx: Context, token: str, now: datetime) -> Transition:
    """Return the last transition of the alert that *token* was signed for.

    Raises:
        InvalidLink: the token is wrong or was used, or there is nothing (more) to acknowledge.
    """
    if ctx.links is None:
        raise InvalidLink("this server signs no links; acknowledge with 'ninelives alerts ack'")
    alert_id = ctx.links.verify(token, "acknowledge", now)
    if link_was_used(ctx.database, token_digest(token)):
        raise InvalidLink(f"this link was used. {_known(ctx, alert_id)} There is nothing more to do.")
    found = transitions(ctx.database, since=now - SHOWN_FOR, alert_id=alert_id)
    if not found:
        raise InvalidLink(f"there is no alert {alert_id!r} here; open the link on the server that sent the message")
    alert = max(map(Transition.from_json, found), key=lambda transition: transition.sequence)
    if alert.resolved_at is not None:
        raise InvalidLink(f"the alert is over since {alert.resolved_at:%Y-%m-%d %H:%M} UTC; there is nothing to do")
    return alert


def _known(ctx: Context, alert_id: str) -> str:
    """Return who acknowledged the alert first, "" if nobody did."""
    rows = acknowledgements(ctx.database, alert_ids=[alert_id])
    return f"Acknowledged at {rows[0].at:%Y-%m-%d %H:%M} UTC by {rows[0].author}." if rows else ""


def _acknowledging(ctx: Context, alert_id: str, now: datetime) -> str:
    """Return what the frozen page shows in its place for acknowledging: a link, unless somebody did."""
    known = _known(ctx, alert_id)
    if known:
        return f"<p><strong>{escape(known)}</strong></p>"
    assert ctx.links is not None
    query = urlencode({"token": ctx.links.sign_at("acknowledge", alert_id, now)})
    return f'<a class="button main" href="../../acknowledge?{query}">Acknowledge</a>'
