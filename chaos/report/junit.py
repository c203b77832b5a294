"""A run as JUnit XML, which pipelines read: one test case for each claim and each check. Pure.

A deviated line is a failure. What could not be decided, was not tested or did not run is an error: it must not pass.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal
from xml.etree import ElementTree as ET

from api.models import ExpectedAlert, Finding, Run, RunCheck, Verdict
from chaos.report import sentences, words

Result = Literal["passed", "failure", "error", "skipped"]

# what XML 1.0 cannot hold, not even escaped
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST: Final = 4000


_RESULTS: Final[dict[Verdict, Result]] = {"held": "passed", "deviated": "failure"}


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    group: str
    result: Result
    kind: str
    message: str
    detail: str = ""


def junit_report(run: Run) -> str:
    """Return the run as a document with one test suite."""
    cases = _cases(run)
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.result == "failure" for case in cases)),
        "errors": str(sum(case.result == "error" for case in cases)),
        "skipped": str(sum(case.result == "skipped" for case in cases)),
        "time": f"{((run.ended_at or run.heartbeat_at) - run.started_at).total_seconds():.3f}",
    }
    root = ET.Element("testsuites", {"name": "ninelives chaos", **counts})
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _short(run.experiment) or "experiment",
            **counts,
            "timestamp": run.started_at.isoformat(timespec="seconds"),
            "hostname": _short(run.environment),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(run):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for case in cases:
        _add(suite, case)
    ET.SubElement(suite, "system-out").text = _legal("\n".join([sentences.verdict(run), sentences.more(run)]).strip())
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _cases(run: Run) -> list[_Case]:
    found = [_of_finding(item, run) for item in run.findings]
    found += [_of_check(item) for item in run.validity]
    found += [_of_alert(item) for item in (run.outcome.alerts if run.outcome else [])]
    # a run that ended without a finding must not look like one where all went well
    bad = any(case.result in {"failure", "error"} for case in found)
    if (not run.findings or run.verdict != "held") and not bad:
        found.append(_Case("the run was judged", "run", "error", run.verdict or run.status, sentences.verdict(run)))
    return found


def _of_finding(item: Finding, run: Run) -> _Case:
    result = _RESULTS.get(item.verdict, "error")
    detail = "\n".join(
        filter(None, [sentences.finding(item, run), f"p95 {sentences.p95(item)}", sentences.needed(item)])
    )
    return _Case(_short(item.hypothesis), "hypothesis", result, item.verdict, _short(item.reason), detail)


def _of_check(item: RunCheck) -> _Case:
    result: Result = "passed" if item.ok else "error" if item.blocks else "skipped"
    return _Case(_short(item.name), "validity", result, "validity", _short(item.detail))


def _of_alert(item: ExpectedAlert) -> _Case:
    # one that came unasked breaks no claim; it is told, and is no reason to fail a pipeline
    result: Result = "passed" if sentences.alert_ok(item) else "failure" if item.expected else "skipped"
    return _Case(_short(item.alert), "alerts", result, "alert", sentences.alert(item))


def _properties(run: Run) -> list[tuple[str, str]]:
    costs = run.outcome.budget if run.outcome else []
    spent = [(f"budget.{_short(cost.slo_id)}", words.percent(cost.chaos_share)) for cost in costs]
    return [
        ("run", _short(run.id)),
        ("verdict", run.verdict or run.status),
        ("comparison", run.comparison),
        ("method", _legal("; ".join(map(words.fault, run.method[:20])))),
        *spent[:20],
    ]


def _add(suite: ET.Element, case: _Case) -> None:
    element = ET.SubElement(suite, "testcase", {"classname": f"{suite.get('name')}.{case.group}", "name": case.name})
    if case.result == "skipped":
        ET.SubElement(element, "skipped", {"message": case.message})
    elif case.result != "passed":
        problem = ET.SubElement(element, case.result, {"type": case.kind, "message": case.message})
        problem.text = _legal(case.detail)
    elif case.detail:
        ET.SubElement(element, "system-out").text = _legal(case.detail)


def _short(text: str) -> str:
    return _legal(words.shortened(text, 300))


def _legal(text: str) -> str:
    return _FORBIDDEN.sub("", text[:_LONGEST])
