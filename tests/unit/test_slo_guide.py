"""The worked examples of the guide, against the functions that it explains."""

import doctest
import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "slo.md"


def test_every_example_of_the_guide_gives_what_it_says():
    failed, attempted = doctest.testfile(str(GUIDE), module_relative=False)
    assert failed == 0
    assert attempted > 40


def test_every_chapter_but_the_sources_has_an_example():
    chapters = GUIDE.read_text(encoding="utf-8").split("\n## ")[1:]
    without = [
        chapter.partition("\n")[0] for chapter in chapters if not re.search(r"^>>> ", chapter, flags=re.MULTILINE)
    ]
    assert without == ["Sources"]
