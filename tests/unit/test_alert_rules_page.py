"""The page on rules: its examples are read, and its tables list all that there is."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from alerts.ingest_loss import IngestLossSignal
from alerts.silent_service import NoDataRule
from alerts.threshold import AGGREGATES, ThresholdRule
from alerts.threshold_signal import ThresholdSignal
from slo.duration import format_duration
from storage.ingest_alarms import ALARMS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "alert-rules.md").read_text("utf-8")
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)]
RULES = [rule for example in EXAMPLES for rule in example.get("rules", ())]


def rows(heading):
    """Return the rows of the table that begins with *heading*, each a list of its cells."""
    table = PAGE[PAGE.index(f"| {heading} |") :].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_examples_hold_rules_and_the_rule_for_silence_and_nothing_else():
    assert {key for example in EXAMPLES for key in example} == {"rules", "no_data"}
    assert len(RULES) > 5


@pytest.mark.parametrize("written", RULES, ids=lambda rule: rule["name"])
def test_every_rule_can_be_copied(written):
    assert ThresholdRule.model_validate(written).name == written["name"]


def test_names_of_rules_are_not_used_twice():
    assert len({rule["name"] for rule in RULES}) == len(RULES)


def test_the_rule_for_silence_shows_its_defaults():
    (written,) = [example["no_data"] for example in EXAMPLES if "no_data" in example]
    assert NoDataRule.model_validate(written) == NoDataRule()
    assert set(written) == set(NoDataRule.model_fields)


def test_the_message_is_what_the_first_rule_says():
    rule = ThresholdRule.model_validate(RULES[0])
    signal = ThresholdSignal(rule, "orders", "prod", (), 1250.0)
    assert f"> {signal.firing_summary()}\n" in PAGE


def test_the_table_of_fields_lists_all_with_their_defaults():
    listed = {name: cells[-1] for cells in rows("field") for name in re.findall(r"`(\w+)`", cells[0])}
    fields = {field.alias or name: field for name, field in ThresholdRule.model_fields.items()}
    assert set(listed) == set(fields)
    for name, field in fields.items():
        if field.is_required():
            assert listed[name] == "must be there"
        elif isinstance(field.default, timedelta):
            assert listed[name] == f"`{format_duration(field.default) if field.default else '0s'}`"
        elif name in {"aggregate", "severity"}:
            assert listed[name] == f"`{field.default}`"


def test_the_table_of_aggregates_lists_all():
    listed = [name for cells in rows("value") for name in re.findall(r"`([a-z]+)`", cells[0])]
    assert sorted(listed) == sorted(AGGREGATES)


def test_the_table_of_losses_lists_every_alarm_with_its_severity_and_its_wait():
    listed = {cells[0].strip("`"): (cells[1], cells[2]) for cells in rows("`loss`")}
    assert set(listed) == {*ALARMS, "quarantined"}
    for what, said in listed.items():
        signal = IngestLossSignal(what, "here:4318")
        wait = signal.timing.pending_for
        assert said == (signal.severity, format_duration(wait) if wait else "0s")
