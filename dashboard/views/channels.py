"""The channels that alerts go to: whether there are any, and which fail."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from api import models as m
from dashboard.views import units
from dashboard.views.markup import escape_markdown

LATELY: Final = timedelta(days=1)
NOBODY_IS_TOLD: Final = (
    "Nobody is told of alerts: no channel is configured. For Slack, write the two lines below to `alerts.yaml` in the "
    "folder where Ninelives was started, and the address of an incoming webhook to `secrets/slack` there; "
    "`ninelives alerts test team` tries it. For mail, PagerDuty, Teams and others see `docs/alerts.md`."
)
REMEDY: Final = """\
route: {receiver: team}
receivers: [{name: team, slack_configs: [{api_url_file: secrets/slack}]}]"""


def nobody_is_told(channels: Sequence[m.AlertChannel], now: datetime) -> bool:
    """Return whether there is no channel, and no message went out lately by one that this API does not know of."""
    return not any(item.configured or _lately(item.last_success_at, now) for item in channels)


def failing(channels: Sequence[m.AlertChannel], now: datetime) -> list[m.AlertChannel]:
    """Return the configured channels that failed lately and have taken nothing since, the last failure first."""
    found = [
        (item.last_failure_at, item)
        for item in channels
        if item.configured
        and item.last_failure_at is not None
        and _lately(item.last_failure_at, now)
        and (item.last_success_at is None or item.last_success_at < item.last_failure_at)
    ]
    return [item for _, item in sorted(found, key=lambda pair: pair[0], reverse=True)]


def failure(item: m.AlertChannel, now: datetime) -> str:
    """Return in Markdown what is wrong with a channel that fails, and how to try it again."""
    since = "never" if item.last_success_at is None else units.ago(item.last_success_at, now)
    what = f"{item.name} failed {units.ago(item.last_failure_at, now)}: {item.last_error or 'no reason was given'}."
    remedy = f"It last took a message: {since}. Mend it, then try it with 'ninelives alerts test {item.name}'."
    return escape_markdown(f"{what} {remedy}")


def _lately(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at < LATELY
