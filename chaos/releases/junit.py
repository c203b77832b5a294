"""A judged release as JUnit XML, which pipelines read: one test case for each line and each check. Pure.

A line that deviated is a failure. What could not be decided is an error: it must not pass.
"""

import re
from typing import Final
from xml.etree import ElementTree as ET

from chaos.releases.judgement import ReleaseJudgement
from chaos.releases.text import budget_sentence, finding_sentence, release_text
from chaos.report import words

# what XML 1.0 cannot hold, not even escaped
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS: Final = {"held": None, "deviated": "failure"}
_MOST: Final = 300


def release_junit(found: ReleaseJudgement) -> str:
    """Return the judgement as a document with one test suite.

    A suite passes exactly when the release held.
    """
    suite = ET.Element("testsuite", {"name": _legal(f"release {found.service}")})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(found):
        ET.SubElement(properties, "property", {"name": name, "value": _legal(value)})
    for item in found.findings:
        tag = _TAGS.get(item.verdict, "error")
        _case(suite, ("line", item.hypothesis), tag, item.reason, finding_sentence(item, found))
    for check in found.checks:
        tag = None if check.ok else "error" if check.blocks else "skipped"
        # what a check throws doubt on is good news; a line that deviated stands, and one failure is told
        tag = "skipped" if tag == "error" and found.verdict == "deviated" else tag
        _case(suite, ("check", check.name), tag, check.detail)
    ET.SubElement(suite, "system-out").text = _legal(release_text(found))
    counts = {
        "tests": str(len(suite.findall("testcase"))),
        **{name: str(len(suite.findall(f"testcase/{tag}"))) for name, tag in _COUNTED},
    }
    suite.attrib.update(counts | {"timestamp": found.judged_at.isoformat(timespec="seconds")})
    root = ET.Element("testsuites", {"name": "ninelives release", **counts})
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


_COUNTED: Final = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def _properties(found: ReleaseJudgement) -> list[tuple[str, str]]:
    return [
        ("from", found.from_version),
        ("to", found.to_version),
        ("verdict", found.verdict),
        ("comparison", found.comparison),
        *((f"budget.{_legal(cost.slo_id)}", budget_sentence(cost, found)) for cost in found.budget),
    ]


def _case(suite: ET.Element, name: tuple[str, str], tag: str | None, message: str, detail: str = "") -> None:
    group, title = name
    case = ET.SubElement(suite, "testcase", {"classname": f"release.{group}", "name": _legal(title)})
    if tag is not None:
        ET.SubElement(case, tag, {"message": _legal(message)}).text = _legal(detail) or None
    elif detail:
        ET.SubElement(case, "system-out").text = _legal(detail)


def _legal(text: str) -> str:
    if "\n" not in text:
        text = words.shortened(text, _MOST)
    return _FORBIDDEN.sub("", text)
