"""The judge's guide says what the code says and what the benchmark measured."""

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.judge import LEAST, MOST, limits_broken
from benchmarks.judge_verdicts import Case, share
from benchmarks.report import BENCHMARKS
from chaos.judge.sample_size import samples_to_plan

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "judge.md").read_text(encoding="utf-8")
PRINTED = re.search(r"^\{.*\}$", GUIDE, flags=re.MULTILINE).group()
FIGURES = json.loads(PRINTED)


def rows(heading):
    """Return the cells of the table below *heading*, without its head."""
    chapter = GUIDE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in chapter.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in cells] for cells in lines[2:]]


def percent(text):
    return float(text.removesuffix(" %")) / 100


def test_every_example_of_the_guide_gives_what_it_says():
    failed, attempted = doctest.testfile(str(ROOT / "docs" / "judge.md"), module_relative=False)
    assert failed == 0
    assert attempted >= 6


def test_the_table_of_requests_is_what_is_planned():
    planned = [("no effect", 0.0, 0.05), ("no effect", 0.0, 0.01), ("5 points", 0.05, 0.01), ("10 points", 0.10, 0.01)]
    table = rows("How many requests it takes")
    assert len(table) == 3
    for base, *cells in table:
        ratio = percent(base)
        wanted = [samples_to_plan(ratio, ratio + effect, margin) for _, effect, margin in planned]
        assert [int(cell.replace(",", "")) for cell in cells] == wanted


def test_half_the_margin_takes_about_four_times_the_requests():
    assert 3 < samples_to_plan(0.01, 0.01, 0.01) / samples_to_plan(0.01, 0.01, 0.02) < 5


def test_every_measured_figure_is_that_of_the_printed_line():
    table = rows("How often it is right")
    assert len(table) > 10
    for _, measured, _, name in table:
        assert percent(measured) == pytest.approx(FIGURES[name.strip("`")], abs=0.00051), name


def test_every_limit_is_the_benchmarks_and_none_is_broken():
    limits = {name.strip("`"): limit for _, _, limit, name in rows("How often it is right") if limit}
    wanted = {name: f"at most {most * 100:g} %" for name, most in MOST.items()}
    wanted |= {name: f"at least {least * 100:g} %" for name, least in LEAST.items()}
    assert limits == wanted
    assert limits_broken(FIGURES) == []


def test_the_delays_in_the_text_are_measured():
    assert f"after {FIGURES['abort_delay_requests']:g} requests an arm" in GUIDE
    assert f"ratio test after {FIGURES['msprt_delay_requests']:g}." in GUIDE


def test_a_broken_limit_is_told():
    broken = limits_broken({**FIGURES, "power": 0.94, "false_abort": 0.06})
    assert broken == ["false_abort is 0.0600, above 0.05", "power is 0.9400, below 0.95"]


def test_the_judges_benchmark_is_part_of_the_report():
    (ours,) = [benchmark for benchmark in BENCHMARKS if benchmark.words[0] == "benchmarks.judge"]
    assert ours.prefix == "judge_"


@pytest.mark.parametrize("lines", [1, 3])
def test_runs_with_an_effect_deviate_and_runs_without_do_not(lines):
    """The benchmark in small."""
    assert share(Case(0.01, 0.06, (1000, 1000), 0.01, lines), "deviated", 300, seed=1) > 0.95
    assert share(Case(0.01, 0.01, (1000, 1000), 0.01, lines), "deviated", 300, seed=2) < 0.01
    assert share(Case(0.01, 0.01, (5000, 5000), 0.01, lines), "held", 300, seed=3) > 0.95


@pytest.mark.long
def test_the_figures_of_the_guide_are_measured_again():
    command = [sys.executable, "-m", "benchmarks.judge"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout.splitlines()[-1] == PRINTED
