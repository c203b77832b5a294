"""The guide to alerts, as an entry: its first file, its commands, its times and its numbers are those of the code."""

import re
import shlex
from datetime import timedelta
from pathlib import Path

import click
import pytest
import yaml

from alerts.backoff import FIRST, LONGEST
from alerts.config import read_config
from alerts.delivery import DEADLINE
from alerts.delivery_queue import LONGEST_RETRY_AFTER_S
from alerts.evidence_page import LARGEST
from alerts.flapping import CALM_FOR, FLAPPING_FIRINGS, FLAPPING_WITHIN
from alerts.incident import GAP, IncidentMetrics
from alerts.signing import VALID_FOR
from evaluator.evidence import PARTS, SECONDS
from evaluator.evidence_queue import WORTH_KNOWING_FOR
from evaluator.liveness import LONGEST as LONGEST_WITHOUT_WORK
from ninelives.cli import main
from slo.openslo import read_openslo
from storage.evaluators import DEAD_AFTER
from tests.unit.decision_timeline import happened
from tests.unit.openslo_documents import annotated

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Alerts\n")[2].partition("\n## ")[0]
PLAIN = " ".join(GUIDE.split())
BLOCK = r"^```(\w+)\n(.*?)^```"
BLOCKS = re.findall(BLOCK, GUIDE, re.MULTILINE | re.DOTALL)
SHORT = re.findall(BLOCK, README, re.MULTILINE | re.DOTALL)
YAML = [yaml.safe_load(text) for language, text in BLOCKS if language == "yaml"]
TYPED = [line for language, text in [*BLOCKS, *SHORT] if language == "sh" for line in text.splitlines()]
INLINE = re.findall(r"`(ninelives [^`]+)`", GUIDE)
TIMELINES = re.findall(r"^\| `(\d+x[^`]*)` \| (.*?) \| (.*?) \|", GUIDE, re.MULTILINE)


def test_the_first_file_is_the_one_in_deploy_and_tells_slack_of_everything():
    assert yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text(encoding="utf-8")) == YAML[0]
    config = read_config((ROOT / "deploy" / "alerts.yaml").read_text(encoding="utf-8"), "alerts.yaml")
    assert dict(config.channels_of) == {"team": ("team/slack-1",)}
    assert config.route.routes_of({"severity": "ticket"})[0].receiver == "team"
    assert len(next(text for language, text in BLOCKS if language == "yaml").splitlines()) <= 10


def test_the_file_of_the_readme_is_the_first_one_too():
    (text,) = (text for language, text in SHORT if language == "yaml")
    assert yaml.safe_load(text) == YAML[0]
    assert read_config(text, "alerts.yaml").channels_of


def test_every_example_is_a_file_of_alerts_a_silence_or_annotations():
    tops = [set(found) for found in YAML]
    known = ({"route", "receivers"}, {"heartbeat"}, {"metadata"})
    assert all(top in known or "ends_at" in top for top in tops)


def test_the_heartbeat_of_the_guide_is_read():
    (text,) = (text for language, text in BLOCKS if language == "yaml" and text.startswith("heartbeat"))
    assert read_config(text, "alerts.yaml").heartbeat.secret_value("url").startswith("https://")


def test_the_annotations_of_the_guide_are_read_without_a_remark():
    (found,) = (found["metadata"]["annotations"] for found in YAML if "metadata" in found)
    slos, problems = read_openslo(annotated(yaml.safe_dump(found, default_flow_style=True).strip()[1:-1]), "f")
    assert problems == []
    (slo,) = slos
    named = ("alert_for", "keep_firing_for", "budget_alerts", "exhaustion_alert", "budget_policy", "owner", "runbook")
    assert [name for name in named if not getattr(slo, name)] == []


@pytest.mark.parametrize("line", [*TYPED, *INLINE])
def test_every_command_can_be_typed(line):
    words = shlex.split(line, comments=True)
    if words[0] != "ninelives":
        return
    command = main
    while isinstance(command, click.Group) and len(words) > 1:
        words = words[1:]
        assert words[0] in command.commands, line
        command = command.commands[words[0]]
    command.make_parser(click.Context(command)).parse_args(words[1:])


def test_commands_are_typed_at_all():
    assert len(TYPED) > 12
    assert len(INLINE) > 5


@pytest.mark.parametrize(("series", "setting", "told"), TIMELINES)
def test_the_life_of_an_alert_is_as_the_table_says(series, setting, told):
    words = {"nothing": "", "`alert-for: 2m`": " | for 2m", "`keep-firing-for: 3m`": " | keep 3m"}
    transitions, _ = happened(series, f"breach 5m/1m page{words[setting]}")
    assert transitions.replace(" page ", " ") == told


def test_the_table_has_every_word_of_a_life():
    told = " ".join(told for *_, told in TIMELINES)
    assert all(word in told for word in ("pending", "firing", "waits", "resumes", "resolved", "flapping"))


def test_the_standard_pairs_are_those_of_the_policy():
    row = GUIDE.partition("`SLOErrorBudgetBurn`: ")[2].partition("\n")[0]
    pairs = re.findall(r"(\d+) % (?:of it )?in (\d+) ([hd])", row)
    policy = yaml.safe_load((ROOT / "slo" / "policies" / "google-30d.yaml").read_text(encoding="utf-8"))
    assert [(f"0.{int(share):02}", f"{number}{unit}") for share, number, unit in pairs] == [
        (pair["budget_share"], pair["long"]) for pair in policy["pairs"]
    ]


@pytest.mark.parametrize(
    ("sentence", "value", "told"),
    [
        ("The fourth time within an hour", (FLAPPING_FIRINGS, FLAPPING_WITHIN), (4, timedelta(hours=1))),
        ("ends only after 30 calm minutes", CALM_FOR, timedelta(minutes=30)),
        ("while at most 30 minutes lie between them", GAP, timedelta(minutes=30)),
        ("| Evidence | 30 days |", VALID_FOR["evidence"], timedelta(days=30)),
        ("| Acknowledge | 24 hours, once |", VALID_FOR["acknowledge"], timedelta(hours=24)),
        ("five seconds for an alert", SECONDS, 5),
        ("waited for more than ten minutes", WORTH_KNOWING_FOR, timedelta(minutes=10)),
        ("at most 60 kB", LARGEST, 60_000),
        ("takes over its messages after 60 s", DEAD_AFTER, timedelta(seconds=60)),
        ("tried again after 5 s, then later each time", FIRST, timedelta(seconds=5)),
        ("later each time, up to 5 min", LONGEST, timedelta(minutes=5)),
        ("`Retry-After` up to an hour", LONGEST_RETRY_AFTER_S, 3600),
        ("24 hours after the message was made", DEADLINE, timedelta(hours=24)),
        ("are younger than 60 s", LONGEST_WITHOUT_WORK, timedelta(seconds=60)),
    ],
)  # fmt: skip
def test_a_number_of_the_guide_is_that_of_the_code(sentence, value, told):
    assert sentence in PLAIN
    assert value == told


def test_the_parts_of_evidence_are_told_in_their_order():
    told = {"pinned traces": "traces", "differences": "what bad requests have in common"}
    part = PLAIN.partition("in this order: budget")[2]
    places = [part.find(told.get(name, name)) for name, _ in PARTS if name not in {"budget", "pinned traces"}]
    assert places == sorted(places)
    assert -1 not in places


def test_every_number_of_incidents_has_a_formula():
    names = {name.removesuffix("_s").upper() for name in IncidentMetrics.__dataclass_fields__} - {"INCIDENTS"}
    assert set(re.findall(r"^\| (MT\w+) \|", GUIDE, re.MULTILINE)) == names


def test_the_message_of_the_guide_is_a_recorded_one():
    (shown,) = re.findall(r"<!-- text-firing.txt -->\n```text\n(.*?)```\n", GUIDE, re.DOTALL)
    assert shown == (ROOT / "tests" / "unit" / "channel_snapshots" / "text-firing.txt").read_text(encoding="utf-8")
