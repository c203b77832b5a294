"""The commands of an objective's life, run against the API over a real database."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from evaluator.revisions import RevisionKeeper
from ninelives.cli import main
from tests.integration.slo_past import DAY, MINUTE, alert, count, last_minute, objective, serving, slo_of_text

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
SLO = slo_of_text(objective())


@pytest.fixture
def run(database, tmp_path):
    """Return a function that runs `ninelives slo ...` and returns exit code, lines and complaint."""
    folder = tmp_path / "slos"
    folder.mkdir()
    (folder / "shop.yaml").write_text(objective(), "utf-8")
    with serving(database, folder) as address:

        def command(*arguments, api=address):
            done = CliRunner().invoke(main, ["slo", *arguments, "--api", api])
            assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
            return done.exit_code, done.stdout.splitlines(), done.stderr

        yield command


@pytest.mark.parametrize(
    ("minimum", "code", "line"),
    [
        ("20%", 0, "pass: shop-availability: 20 % of the error budget of 30d left, at least 20 % (state at_risk, prov"),
        ("0.21", 1, "fail: shop-availability: 20 % of the error budget of 30d left, less than 21 % (state at_risk, p"),
    ],
)
def test_the_gate_says_one_line_and_its_exit_code_is_the_answer(database, run, minimum, code, line):
    count(database, SLO, {last_minute() - HOUR: (920, 80)})
    found, (told,), _ = run("gate", "--slo", SLO.id, "--min-budget", minimum)
    assert (found, told[: len(line)]) == (code, line)


def test_the_gate_answers_in_json_too(database, run):
    count(database, SLO, {last_minute() - HOUR: (500, 500)})
    code, lines, _ = run("gate", "--slo", SLO.id, "--min-budget", "20%", "--json")
    told = json.loads("\n".join(lines))
    assert (code, told["passes"], told["state"], told["min_budget"]) == (1, False, "exhausted", 0.2)
    assert told["error_budget_remaining"] == pytest.approx(-4)


def test_an_objective_without_data_fails_the_gate_unless_that_is_allowed(run):
    assert run("gate", "--slo", SLO.id, "--min-budget", "20%")[0] == 1
    assert run("gate", "--slo", SLO.id, "--min-budget", "20%", "--allow-no-data")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--slo", "a"],
        ["--min-budget", "20%"],
        *(["--slo", "a", "--min-budget", wrong] for wrong in ("20", "much", "101%")),
    ],
)
def test_misuse_of_the_gate_is_told_apart_from_bad_news(run, arguments):
    assert run("gate", *arguments)[0] == 2


def test_an_unknown_objective_or_an_absent_api_never_passes_the_gate(run):
    assert run("gate", "--slo", "ghost", "--min-budget", "1%", "--allow-no-data")[0] == 1
    code, _, complaint = run("gate", "--slo", SLO.id, "--min-budget", "1%", "--allow-no-data", api="127.0.0.1:1")
    assert code == 1
    assert "cannot reach the API" in complaint


def test_show_tells_budget_in_time_conditions_maintenance_and_last_change(database, run):
    RevisionKeeper(database, writer="one", author="ada", commit_of=lambda _: "c0ffee").update([SLO], last_minute())
    count(database, SLO, {last_minute() - 2 * MINUTE: (950, 50)})
    assert run("maintenance", "add", "move the disks", "--for", "90m", "--service", "shop")[0] == 0
    code, lines, _ = run("show", SLO.id)
    told = "\n".join(lines)
    assert code == 0
    assert "3 d allowed, 1 d 12 h left" in told
    assert "good events     95.000 % (950 good, 50 bad of 1,000)" in told
    assert "page      5m/1m" in told
    assert "move the disks" in told
    assert "revision 1 by ada (c0ffee): added: 0.9 over 30d" in told
    assert "no data" in told  # burn rate of the last minute


def test_show_without_data_says_so(run):
    code, lines, _ = run("show", SLO.id)
    told = "\n".join(lines)
    assert code == 0
    assert "3 d allowed, no data" in told
    assert "last change     none on record" in told
    assert run("show", "ghost")[0] == 1


def test_show_holds_everything_in_json(run):
    told = json.loads("\n".join(run("show", SLO.id, "--json")[1]))
    assert told["slo"]["id"] == SLO.id
    assert told["details"]["definition"]["target"] == "0.9"


@pytest.fixture
def outage(database):
    """Two days of minutes with an outage of ten minutes half a day ago."""
    end = last_minute()
    minutes = {end - number * MINUTE: (20, 0) for number in range(1, 2 * 24 * 60)}
    count(database, SLO, minutes | {end - 12 * HOUR + number * MINUTE: (2, 18) for number in range(10)})
    return end - 12 * HOUR


def test_a_backtest_prints_alerts_pages_a_week_and_how_true_they_were(database, run, outage, tmp_path):
    alert(database, "shop-checkout", outage, outage + HOUR)
    alert(database, "shop-checkout", outage - 6 * HOUR, outage - 5 * HOUR)
    file = tmp_path / "candidate.yaml"
    file.write_text(objective("candidate"), "utf-8")
    code, lines, _ = run("backtest", str(file), "--days", "7")
    told = "\n".join(lines)
    assert code == 0
    assert lines[0].startswith("candidate: 90 % over 30d, from ")
    assert "alerts       1, of which 1 page: 3.5 pages a week" in told, "there are two days of data"
    assert "precision    100 % (1 of 1 alerts told of an incident)" in told
    assert "recall       50 % (1 of 2 incidents were told)" in told
    assert "worst day" in told
    assert f"{outage + MINUTE:%Y-%m-%d %H:%M}" in told
    assert "Incidents that no alert told of" in told


def test_a_backtest_answers_in_json_too(run, outage, tmp_path):
    file = tmp_path / "candidate.yaml"
    file.write_text(objective("candidate") + "---" + objective("second", windows="20m/5m ticket"), "utf-8")
    first, second = json.loads("\n".join(run("backtest", str(file), "--json")[1]))
    assert (first["slo_id"], second["slo_id"]) == ("candidate", "second")
    assert [item["severity"] for item in (*first["alerts"], *second["alerts"])] == ["page", "ticket"]


def test_a_backtest_of_what_is_no_objective_tells_why(run, tmp_path):
    file = tmp_path / "tomorrow.yaml"
    file.write_text("kind: SLO\n", "utf-8")
    code, _, complaint = run("backtest", str(file))
    assert code == 1
    assert f"{file}:1: error: apiVersion is missing" in complaint
    assert run("backtest", str(tmp_path / "none.yaml"))[0] == 2
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    assert run("backtest", str(tmp_path / "bytes.yaml"))[0] == 2


def test_a_report_is_written_as_a_page_and_as_markdown(database, run, tmp_path):
    month = f"{datetime.now(UTC).replace(day=1) - DAY:%Y-%m}"
    first = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    count(database, SLO, {first: (999, 1)})
    alert(database, SLO.id, first, first + HOUR)
    output = tmp_path / "reports" / "all"
    code, lines, _ = run("report", "--output", str(output))
    assert code == 0
    assert lines == [f"wrote {output}/slo-report-{month}.{suffix}" for suffix in ("html", "md")]
    page, text = ((output / f"slo-report-{month}.{suffix}").read_text("utf-8") for suffix in ("html", "md"))
    assert '<td data-name="Good events">99.9 %</td>' in page
    assert "&lt;b&gt;shop-availability&lt;/b&gt; broke" in page
    assert "99.9 % (999 good, 1 bad of 1,000)" in text
    assert "3 nines" in text
    assert json.loads("\n".join(run("report", "--month", month, "--json")[1]))["month"] == month


def test_a_report_of_what_is_no_month_is_refused(run, tmp_path):
    assert run("report", "--month", "last", "--output", str(tmp_path / "none"))[0] == 1
    assert not (tmp_path / "none").exists()


def test_maintenance_is_announced_listed_and_ended(run):
    past = ["move", "--for", "2h", "--slo", SLO.id, "--start", "2026-10-03T22:00:00Z"]
    code, (line,), _ = run("maintenance", "add", *past)
    assert code == 0
    assert line.endswith("2026-10-03 22:00 to 2026-10-04 00:00 UTC, objective shop-availability: move")
    coming = ["all", "--for", "5m", "--all", "--start", "2099-01-01T00:00:00Z", "--json"]
    announced = json.loads("\n".join(run("maintenance", "add", *coming)[1]))
    (ended,) = run("maintenance", "end", announced["id"])[1]
    assert ended.endswith("2099-01-01 00:00 UTC, all objectives, called off: all")
    _, (header, newest, oldest), _ = run("maintenance", "list")
    assert header.startswith("ID")
    assert "called off" in newest
    assert "objective shop-availability" in oldest
    assert len(json.loads("\n".join(run("maintenance", "list", "--json")[1]))) == 2
    assert run("maintenance", "end", "ghost")[0] == 1


def test_maintenance_of_an_objective_that_is_not_there_is_refused(run):
    code, _, complaint = run("maintenance", "add", "move", "--for", "2h", "--slo", "shop-availabilty")
    assert code == 1
    assert "no objective 'shop-availabilty'" in complaint
    assert len(run("maintenance", "list")[1]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--for", "2h"],
        ["--for", "2h", "--all", "--service", "shop"],
        ["--for", "2 hours", "--all"],
        ["--for", "2h", "--all", "--start", "tomorrow"],
        ["--for", "2h", "--all", "--start", "2026-10-03T22:00:00"],
        ["--all"],
    ],
)
def test_maintenance_that_is_not_said_clearly_is_misuse(run, arguments):
    assert run("maintenance", "add", "move", *arguments)[0] == 2
    assert len(run("maintenance", "list")[1]) == 1
