"""Channels as alerts.yaml names them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from alerts.channels.build import build_channels
from alerts.errors import ChannelError
from alerts.receivers import ReceiverConfig
from tests.unit.alert_messages import FIRING
from tests.unit.alert_receivers import http_peer

ROOT = Path(__file__).parents[2]
ALL = """
- name: oncall
  pagerduty_configs: [{routing_key: key}]
  webhook_configs: [{url: "https://a.example/1", secret: s}, {url: "https://a.example/2"}]
- name: team
  slack_configs: [{api_url: "https://hooks.slack.com/services/x"}]
  msteamsv2_configs: [{webhook_url: "https://teams.example/x"}]
  email_configs: [{to: [a@b.example], from: c@b.example, smarthost: "smtp.b.example:587"}]
  apprise_configs: [{url: "json://c.example/"}]
- name: nobody
"""


@dataclass
class Config:
    receivers: tuple
    allow_private_addresses: bool = False
    templates: Path | None = None


def config(text, **options):
    return Config(tuple(ReceiverConfig.model_validate(each) for each in yaml.safe_load(text)), **options)


def test_every_receiver_gets_its_channels_by_name():
    built = build_channels(config(ALL))
    assert {name: [channel.name for channel in channels] for name, channels in built.items()} == {
        "oncall": ["oncall/webhook-1", "oncall/webhook-2", "oncall/pagerduty-1"],
        "team": ["team/slack-1", "team/msteamsv2-1", "team/email-1", "team/apprise-1"],
        "nobody": [],
    }
    kinds = {type(channel).__name__ for channels in built.values() for channel in channels}
    assert len(kinds) == 6


@pytest.mark.parametrize(("whole", "own"), [(False, False), (True, False), (False, True)])
def test_private_addresses_are_allowed_by_the_file_or_by_the_receiver(whole, own):
    with http_peer() as peer:
        text = f"[{{name: r, allow_private_addresses: {own}, webhook_configs: [{{url: '{peer.url()}'}}]}}]"
        (channel,) = build_channels(config(text, allow_private_addresses=whole))["r"]
        if whole or own:
            channel.send(FIRING)
        else:
            with pytest.raises(ChannelError, match="not a public address"):
                channel.send(FIRING)
        assert len(peer.requests) == (whole or own)


def test_the_folder_of_templates_reaches_the_channels(tmp_path):
    (tmp_path / "title.j2").write_text("my own words")
    with http_peer() as peer:
        text = f"[{{name: r, slack_configs: [{{api_url: '{peer.url()}'}}]}}]"
        (channel,) = build_channels(config(text, allow_private_addresses=True, templates=tmp_path))["r"]
        channel.send(FIRING)
        assert b"my own words" in peer.requests[0].body


def test_what_is_wrong_with_templates_is_logged_before_anybody_is_paged(tmp_path, caplog):
    (tmp_path / "text.j2").write_text("{{ nothing }}")
    build_channels(config("[{name: r}]", templates=tmp_path))
    assert f"template {tmp_path / 'text.j2'}, line 1: UndefinedError: 'nothing' is undefined" in caplog.text


def test_a_channel_that_cannot_be_made_says_so_and_stops_no_other(tmp_path, caplog):
    secret = tmp_path / "url"
    with http_peer() as peer:
        text = f"[{{name: r, webhook_configs: [{{url_file: {secret}}}, {{url: '{peer.url()}'}}]}}]"
        broken, sound = build_channels(config(text, allow_private_addresses=True))["r"]
        assert f"channel r/webhook-1 cannot be used: url_file {secret} cannot be read" in caplog.text
        sound.send(FIRING)
        with pytest.raises(ChannelError, match="r/webhook-1: url_file") as caught:
            broken.send(FIRING)
        assert not caught.value.permanent
        assert broken.name == "r/webhook-1"
        secret.write_text(peer.url())
        broken.send(FIRING)
        broken.send(FIRING)
        assert len(peer.requests) == 3


def test_what_is_not_configured_is_not_imported():
    """Memory of the service that has webhooks alone."""
    program = (
        "import sys, types\n"
        "from alerts.channels.build import build_channels\n"
        "from alerts.receivers import ReceiverConfig\n"
        "hook = ReceiverConfig(name='r', webhook_configs=({'url': 'https://a.example/'},))\n"
        "config = types.SimpleNamespace(receivers=(hook,), allow_private_addresses=False, templates=None)\n"
        "assert build_channels(config)['r']\n"
        "print(sorted({'apprise', 'smtplib', 'jinja2'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
