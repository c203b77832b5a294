"""docs/alert-channels.md says what the code does: its file is read, its messages are the recorded ones."""

import hashlib
import hmac
import os
import re
import time
from pathlib import Path

import pytest

from alerts.channels.build import build_channels
from alerts.channels.webhook import signature
from alerts.config import read_config
from alerts.rendering import Renderer
from tests.unit.alert_messages import FIRING, NOW, PAGE

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "alert-channels.md"
RECORDS = Path(__file__).parent / "channel_snapshots"
SHOWN = re.compile(r"<!-- ([\w-]+\.txt) -->\n```text\n(.*?)```\n", re.DOTALL)


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)


def test_the_messages_that_the_guide_shows_are_the_recorded_ones():
    text = GUIDE.read_text("utf-8")
    written = SHOWN.sub(
        lambda found: f"<!-- {found[1]} -->\n```text\n{(RECORDS / found[1]).read_text('utf-8')}```\n", text
    )
    if os.environ.get("REWRITE_SNAPSHOTS"):
        GUIDE.write_text(written, "utf-8", newline="\n")
    assert text == written
    assert len(SHOWN.findall(text)) == 5


def test_the_file_of_the_guide_is_read_and_makes_every_channel(tmp_path):
    (text,) = blocks("yaml")
    for name in ("pagerduty", "hmac", "slack", "teams", "smtp", "ntfy"):
        address = {"ntfy": "ntfy://ntfy.sh/topic"}.get(name, f"https://{name}.example/secret")
        (tmp_path / name).write_text(address)
    config = read_config(text.replace("/run/secrets", str(tmp_path)), "alerts.yaml", folder=tmp_path)
    built = build_channels(config)
    kinds = [type(channel).__name__ for channels in built.values() for channel in channels]
    assert sorted(kinds) == [
        "AppriseChannel", "EmailChannel", "MsTeamsChannel", "PagerDutyChannel", "SlackChannel", "WebhookChannel",
    ]  # fmt: skip
    for channels in built.values():
        for channel in channels:
            assert f"`{channel.name}`" in GUIDE.read_text("utf-8")


def test_the_receiver_of_the_guide_knows_our_signature():
    (program,) = blocks("python")
    names = {}
    exec(program, names)  # the guide's own code
    body = b'{"version": "4"}'
    now = signature("s3cret", body, NOW.fromtimestamp(time.time(), NOW.tzinfo))
    assert names["is_ours"](b"s3cret", now, body)
    assert not names["is_ours"](b"another", now, body)
    assert not names["is_ours"](b"s3cret", now, body + b" ")
    assert not names["is_ours"](b"s3cret", signature("s3cret", body, NOW.replace(year=2020)), body)
    digest = hmac.new(b"s3cret", b"1772334000." + body, hashlib.sha256).hexdigest()
    assert signature("s3cret", body, NOW) == f"t=1772334000,v1={digest}"


def test_the_template_of_the_guide_works(tmp_path):
    (tmp_path / "title.j2").write_text(blocks("jinja")[0])
    own = Renderer(tmp_path)
    assert own.problems() == []
    assert own.title(FIRING).startswith("PAGE: checkout in prod, 7.3 % of requests failed")


@pytest.mark.parametrize("subject", ["message", "alert"])
def test_the_names_that_the_guide_lists_are_there(subject, tmp_path):
    rows = re.findall(rf"^\| (`{subject}\..*?) \|", GUIDE.read_text("utf-8"), re.MULTILINE)
    rows += re.findall(r"the same as (.*?) \|", GUIDE.read_text("utf-8")) if subject == "alert" else []
    names = [name for row in rows for name in re.findall(r"`(?:\w+)?\.(\w+)`", row)]
    place = {"message": "message", "alert": "message.alerts[0]"}[subject]
    (tmp_path / "text.j2").write_text("".join(f"{{{{ {place}.{name} }}}}\n" for name in names) + PAGE.alert_id)
    assert len(names) > 6
    assert Renderer(tmp_path).problems() == []
