"""Exported rules and offered metrics, checked by Prometheus' own tool."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import yaml
from prometheus_client import CollectorRegistry, generate_latest

from evaluator.tick import TickState
from ninelives.slo_events import EventTotals
from ninelives.slo_metrics import SloMetrics
from slo.draft import drafts
from slo.evaluation import evaluate, needed_windows
from slo.model import EventCounts, Slo
from slo.prometheus_rules import prometheus_rules
from slo.standard_policy import standard_policy
from storage.sli_minutes import SeriesWindows
from storage.slo_catalog import find_slo_files, read_slo_files
from storage.standing import Standing

DEMO = Path(__file__).resolve().parents[2] / "demo" / "slos"
DRAFT = drafts("shop", "prod")[0]
SLO = replace(DRAFT, id="shop", draft=False, policy=standard_policy(DRAFT.target, DRAFT.period).policy)
IDS = 'sloth_id="shop",sloth_service="shop",sloth_slo="shop"'
# 30 hours of 6,000 good requests a minute, 10 minutes of which 15 % fail, 2 quiet hours
GOOD = "0+6000x1800 10805100+5100x9 10857000+6000x120"
BAD = "0+0x1800 900+900x9 9000+0x120"
INCIDENT = 1800


def promtool(*arguments: object, text: str = "") -> str:
    """Return what promtool prints; it must be content."""
    command = ["promtool", *(str(argument) for argument in arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def series(result: str, values: str, slo: Slo = SLO) -> dict[str, str]:
    labels = f'slo="{slo.id}",service="shop",environment="prod",result="{result}"'
    return {"series": f"ninelives_slo_events_total{{{labels}}}", "values": values}


def sample(window: str, minute: int, ratio: float | None) -> dict[str, object]:
    labels = f'slo:sli_error:ratio_rate{window}{{{IDS},sloth_window="{window}"}}'
    found = [] if ratio is None else [{"labels": labels, "value": ratio}]
    return {"expr": f"slo:sli_error:ratio_rate{window}", "eval_time": f"{minute}m", "exp_samples": found}


def firing(minute: int, severity: str = "", ratio: str = "") -> dict[str, object]:
    """Return that one alert of *severity* fires at *minute*, or none without."""
    ids = {"sloth_id": "shop", "sloth_service": "shop", "sloth_slo": "shop"}
    labels = {"severity": severity, "sloth_severity": severity, "slo_id": "shop", "service_name": "shop"}
    annotations = {
        "title": f"({severity}) shop shop burns its error budget.",
        "summary": f"{ratio} of the events fail; the objective allows 0.1 %.",
    }
    alert = {"exp_labels": ids | labels, "exp_annotations": annotations}
    return {"eval_time": f"{minute}m", "alertname": "SLOErrorBudgetBurn", "exp_alerts": [alert] if severity else []}


def check(folder: Path, slo: Slo, inputs: list[dict[str, str]], alerts: list[object], samples: list[object]) -> None:
    """Play *inputs*, a sample a minute, to the rules of *slo*."""
    text, remarks = prometheus_rules([slo])
    assert remarks == []
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    played = {"interval": "1m", "input_series": inputs, "alert_rule_test": alerts, "promql_expr_test": samples}
    test = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [played]}
    (folder / "test.yaml").write_text(yaml.safe_dump(test), encoding="utf-8")
    promtool("test", "rules", folder / "test.yaml")


def test_the_rules_of_the_demos_objectives_are_sound(tmp_path: Path) -> None:
    slos, _, problems = read_slo_files(find_slo_files([DEMO]))
    assert problems == []
    text, remarks = prometheus_rules(slos)
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    assert f"{17 * len(slos)} rules found" in promtool("check", "rules", tmp_path / "rules.yaml")
    assert remarks == []


def test_an_incident_has_the_same_error_ratios_in_prometheus_as_here(tmp_path: Path) -> None:
    end = INCIDENT + 10
    windows = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": end, "30d": end}
    samples = [sample(window, end, min(length, 10) * 900 / (length * 6000)) for window, length in windows.items()]
    samples.append(sample("1h", INCIDENT, 0.0))
    remaining = f"slo:period_error_budget_remaining:ratio{{{IDS}}}"
    left = {"labels": remaining.replace("}", ',sloth_window="30d"}'), "value": 1 - 9000 / (end * 6000) / 0.001}
    samples.append({"expr": remaining, "eval_time": f"{end}m", "exp_samples": [left]})
    check(tmp_path, SLO, [series("good", GOOD), series("bad", BAD)], [], samples)


def test_an_incident_pages_from_its_6th_minute_until_it_leaves_the_short_window(tmp_path: Path) -> None:
    alerts = [
        firing(INCIDENT),
        firing(INCIDENT + 5),
        firing(INCIDENT + 6, "page", "1.5%"),
        firing(INCIDENT + 14, "page", "2.5%"),
        firing(INCIDENT + 15),
        firing(INCIDENT + 120),
    ]
    check(tmp_path, SLO, [series("good", GOOD), series("bad", BAD)], alerts, [])


def test_few_events_do_not_page_where_more_are_asked_for(tmp_path: Path) -> None:
    page = replace(SLO, policy=replace(SLO.policy, conditions=SLO.policy.conditions[:1]))
    inputs = [series("good", "0+1x120"), series("bad", "0+0x110 1+1x9")]
    check(tmp_path, page, inputs, [firing(118, "page", "11.76%")], [])
    check(tmp_path, replace(page, min_bad=9, min_total=69), inputs, [firing(118), firing(119, "page", "13.04%")], [])


def test_without_events_there_is_no_sample_and_no_alert(tmp_path: Path) -> None:
    inputs = [series("good", "5+0x120"), series("bad", "7+0x120")]
    samples = [sample(window, 100, None) for window in ("5m", "1h", "30d")]
    check(tmp_path, SLO, inputs, [firing(100)], samples)


def test_another_objectives_events_and_scraped_gauges_do_not_mix_in(tmp_path: Path) -> None:
    other = replace(SLO, id="shop2")
    scraped = {"series": f'slo:sli_error:ratio_rate1h{{{IDS},sloth_window="1h",job="ninelives"}}', "values": "1+0x120"}
    short = {"series": scraped["series"].replace("1h", "5m"), "values": "1+0x120"}
    inputs = [series("good", "0+10x120"), series("bad", "0+0x120"), series("bad", "0+99x120", other), scraped, short]
    check(tmp_path, SLO, inputs, [firing(100)], [])


def test_the_metrics_are_sound_but_for_the_colons_in_sloths_names() -> None:
    slos = [replace(slo, draft=False) for slo in drafts("shop", "prod")]
    end = datetime(2026, 3, 1, 12, tzinfo=UTC)
    standings = []
    for slo in slos:
        counts = dict.fromkeys(needed_windows(slo, end), EventCounts(99, 100))
        standings.append(Standing(slo, evaluate(slo, counts, end=end, coverage=1.0), end))

    def count(series, lengths, _end):
        return {key: SeriesWindows(dict.fromkeys(lengths, EventCounts(99, 100)), None) for key in series}

    registry = CollectorRegistry()
    registry.register(SloMetrics(TickState(standings=standings), EventTotals(count)))
    text = generate_latest(registry).decode()
    command = ["promtool", "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "':'" not in line]
    assert complaints == []
    assert "slo:sli_error:ratio_rate5m" in done.stderr + done.stdout
    own = "".join(line for line in text.splitlines(keepends=True) if "slo:" not in line)
    promtool("check", "metrics", text=own)
