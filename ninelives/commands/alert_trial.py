"""`alerts test`: one marked message through a channel of alerts.yaml, sent by this process itself."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ninelives.commands.output import json_flag, print_table, printable
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

if TYPE_CHECKING:
    from ninelives.channel_trial import KnownChannel


@click.command(name="test")
@setting_flags("alerts", "webhooks", "external_url")
@click.argument("channel", required=False)
@json_flag
def send_test(settings: Settings, channel: str | None, as_json: bool) -> None:
    """Send a marked test message to CHANNEL, or to every channel of a receiver; without one, list the channels.

    The message goes out from here, as the evaluator would send it; no API is needed. Exit code 1 when a channel fails.
    """
    from alerts.config_problems import InvalidConfig
    from ninelives.channel_trial import channels_in, send_to

    try:
        known = channels_in(settings.alerts, [str(url) for url in settings.webhooks])
    except (InvalidConfig, OSError, UnicodeDecodeError) as error:
        fail(str(error), MISUSE)
    if channel is None:
        _list(known, as_json=as_json)
        return
    wanted = [item for item in known if channel in (item.name, item.receiver)]
    if not wanted:
        names = ", ".join(item.name for item in known) or f"none, {settings.alerts} configures no channel"
        fail(f"no channel or receiver {channel!r}; there are: {names}", MISUSE)
    results = [send_to(item, settings.dashboard_url) for item in wanted]
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False))
    else:
        for result in results:
            click.echo(printable(result.words()))
    if not all(result.sent for result in results):
        raise SystemExit(1)


def _list(known: "list[KnownChannel]", *, as_json: bool) -> None:
    if as_json:
        found = [{"name": item.name, "receiver": item.receiver, "kind": item.kind, "host": item.host} for item in known]
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    print_table(
        ("CHANNEL", "RECEIVER", "KIND", "HOST"),
        [(printable(item.name), printable(item.receiver), item.kind, printable(item.host)) for item in known],
    )
