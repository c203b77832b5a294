"""SLO files on disk, and the command that checks them."""

import json

import pytest
from click.testing import CliRunner

from ninelives.cli import main
from storage.slo_catalog import find_slo_files, read_slo_files
from tests.unit.openslo_documents import AVAILABILITY


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = tmp_path / "slos"
    found.mkdir()
    return found


def _validate(*arguments):
    return CliRunner().invoke(main, ["slo", "validate", *(str(argument) for argument in arguments)])


def test_yaml_and_json_files_of_a_folder_are_read_together(folder):
    start, end = AVAILABILITY.index("  indicator:"), AVAILABILITY.index("  timeWindow:")
    (folder / "slo.yaml").write_text(AVAILABILITY[:start] + "  indicatorRef: shared\n" + AVAILABILITY[end:])
    source = {"metricSource": {"type": "spans", "spec": {"good": "not error"}}}
    spec = {"ratioMetric": {"good": source, "total": {"metricSource": {"type": "spans", "spec": {}}}}}
    sli = {"apiVersion": "openslo/v1", "kind": "SLI", "metadata": {"name": "shared"}, "spec": spec}
    (folder / "sli.json").write_text(json.dumps(sli))
    (folder / "other.yml").write_text("# nothing\n")
    (folder / "notes.txt").write_text("no SLO")
    paths = find_slo_files([folder])
    assert [path.name for path in paths] == ["other.yml", "sli.json", "slo.yaml"]
    slos, files, problems = read_slo_files(paths, strict=True)
    assert ([slo.id for slo in slos], problems) == (["checkout-availability"], [])
    assert files == [str(path) for path in paths]


def test_a_file_that_is_not_text_is_a_problem_of_its_own(folder):
    (folder / "bad.yaml").write_bytes(b"\xff\xfe\x00")
    (folder / "good.yaml").write_text(AVAILABILITY)
    slos, _, problems = read_slo_files(find_slo_files([folder]))
    assert len(slos) == 1
    assert [(problem.line, problem.level) for problem in problems] == [(None, "error")]


def test_good_files_are_counted_and_end_with_0(folder):
    (folder / "good.yaml").write_text(AVAILABILITY)
    result = _validate(folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "1 objective(s) in 1 file(s), 0 error(s), 0 warning(s)\n"


def test_the_files_of_the_settings_are_checked_by_default(folder):
    (folder / "good.yaml").write_text(AVAILABILITY)
    assert _validate().stdout.startswith("1 objective(s) in 1 file(s)")


def test_an_error_has_file_line_level_path_and_reason_and_ends_with_1(folder):
    path = folder / "bad.yaml"
    path.write_text(AVAILABILITY.replace("0.999", "99.9"))
    result = _validate(path)
    assert result.exit_code == 1
    reason = "target 99.9 is a unit mistake: write 0.999"
    assert result.stderr == f"{path}:15: error: spec.objectives[0].target: {reason}\n"
    assert result.stdout == "0 objective(s) in 1 file(s), 1 error(s), 0 warning(s)\n"


def test_what_lenient_reading_warns_of_strict_reading_refuses(folder):
    path = folder / "odd.yaml"
    path.write_text(AVAILABILITY.replace("target: 0.999", "target: 0.999, op: gt"))
    lenient, strict = _validate(path), _validate(path, "--strict")
    assert (lenient.exit_code, strict.exit_code) == (0, 1)
    assert f"{path}:15: warning: spec.objectives[0].op: op has a use with thresholdMetric only" in lenient.stderr
    assert f"{path}:15: error: spec.objectives[0].op: op has a use with thresholdMetric only" in strict.stderr
    assert "1 objective(s)" in lenient.stdout
    assert "0 objective(s)" in strict.stdout


def test_a_check_of_no_files_at_all_is_no_success(folder):
    (folder / "notes.txt").write_text(AVAILABILITY)
    result = _validate(folder)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"there are no SLO files (.yaml, .yml, .json) in {folder}\n"


def test_a_machine_reads_the_same_as_json(folder):
    path = folder / "bad.yaml"
    path.write_text(AVAILABILITY + "---\nkind: [\n")
    result = _validate(path, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["files"], found["objectives"]) == ([str(path)], ["checkout-availability"])
    (problem,) = found["problems"]
    assert (problem["file"], problem["level"], problem["path"], problem["name"]) == (str(path), "error", "", "")
    assert problem["line"] in {17, 18}


def test_a_window_longer_than_minutes_are_kept_is_told(folder):
    path = folder / "long.yaml"
    path.write_text(AVAILABILITY.replace("30d", "90d"))
    assert _validate(path).stderr == ""
    result = _validate(path, "--retention-rollup-days", "30")
    assert result.exit_code == 0
    assert "[window-beyond-retention]" in result.stderr


def test_a_file_that_is_not_there_is_misuse(folder):
    result = _validate(folder / "none.yaml")
    assert result.exit_code == 2
    assert "no such file or folder" in result.stderr
