"""The list of objectives as a person and a pipeline read it."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter

from api import models as m
from ninelives.cli import main
from tests.integration.slo_past import DAY, MINUTE, count, last_minute, objective, serving, slo_of_text
from tests.integration.test_evaluator_backfill import send

pytestmark = pytest.mark.slow

ROLLING = objective()
STAGING = ROLLING.replace("environment: prod", "environment: staging").replace("shop-availability", "shop-staging")
CALENDAR = objective("shop-month").replace(
    "duration: 30d, isRolling: true",
    'duration: 1Y, isRolling: false, calendar: {startTime: "2020-01-01 00:00:00", timeZone: Europe/Berlin}',
)
SLICES = objective("shop-slices").replace("Occurrences", "Timeslices")
SLICES = SLICES.replace("target: 0.9", "target: 0.9, timeSliceTarget: 0.9, timeSliceWindow: 5m")


@pytest.fixture
def run(database, tmp_path):
    """Return a function that writes SLO files, runs `ninelives slo ...` and returns what it prints."""
    with serving(database, tmp_path) as address:

        def command(texts, *arguments):
            for number, text in enumerate(texts):
                (tmp_path / f"{number}.yaml").write_text(text, "utf-8")
            done = CliRunner().invoke(main, ["slo", *arguments, "--api", address])
            assert (done.exit_code, done.stderr) == (0, "")
            return done.stdout

        yield command


def test_one_environment_is_no_column_and_several_are(run):
    header, line = run([ROLLING], "list").splitlines()
    assert "ENVIRONMENT" not in header
    assert "prod" not in line
    header, *lines = run([ROLLING, STAGING], "list").splitlines()
    assert header.split()[:2] == ["SLO", "ENVIRONMENT"]
    assert {tuple(line.split()[:2]) for line in lines} == {("shop-availability", "prod"), ("shop-staging", "staging")}


def test_an_objective_of_every_environment_says_so(run):
    everywhere = objective("shop-all").replace("environment: prod, ", "")
    assert "shop-all           (any or none)" in run([ROLLING, everywhere], "list")


def test_a_machine_reads_the_models_of_the_api(run):
    found = TypeAdapter(list[m.Slo]).validate_json(run([ROLLING, STAGING], "list", "--json"))
    assert {(item.id, item.environment) for item in found} == {
        ("shop-availability", "prod"),
        ("shop-staging", "staging"),
    }


def test_what_is_covered_of_a_calendar_window_is_told_of_the_part_up_to_now(database, run):
    end = last_minute()
    if (end - datetime(end.year, 1, 1, tzinfo=UTC)) < 2 * DAY:
        pytest.skip("the year has just begun")
    count(database, slo_of_text(CALENDAR), {end - DAY: (90, 1)})
    told = run([CALENDAR], "list")
    (item,) = TypeAdapter(list[m.Slo]).validate_json(run([CALENDAR], "list", "--json"))
    began = datetime(end.year - 1, 12, 31, 23, tzinfo=UTC)
    assert item.elapsed_s == (item.as_of - began).total_seconds()
    assert f"(provisional, 1.0 of {item.elapsed_s / 86400:.4g} d)" in told


def test_a_few_events_are_told_as_such(database, run):
    count(database, slo_of_text(ROLLING), {last_minute() - 2 * MINUTE: (5, 0)})
    assert ", few events)" in run([ROLLING], "list")
    assert "state           ok, provisional, few events" in run([ROLLING], "show", "shop-availability")


def test_slices_are_not_called_events(database, run):
    count(database, slo_of_text(SLICES), {last_minute() - 30 * MINUTE: (5, 5), last_minute() - 60 * MINUTE: (5, 0)})
    assert "good slices of time  50.000 % (1 good, 1 bad of 2)" in run([SLICES], "show", "shop-slices")


def test_what_is_excluded_in_the_file_is_not_called_maintenance(database, run):
    at = last_minute() - timedelta(hours=2)
    span = f"{at:%Y-%m-%dT%H:%MZ}/{at + MINUTE:%Y-%m-%dT%H:%MZ} upgrade"
    excluding = objective().replace("annotations:\n", f'annotations:\n    ninelives/exclusions: "{span}"\n')
    count(database, slo_of_text(ROLLING), {at: (0, 100), at + MINUTE: (900, 0)})
    told = run([excluding], "show", "shop-availability")
    assert "budget left               100.0 %" in told
    assert "if nothing were excluded  0.0 % of the budget left" in told


def test_adopting_in_another_environment_names_those_with_drafts(database, store, otlp, tmp_path):
    send(database, store, otlp, datetime.now(UTC))
    own = tmp_path / "own"
    with serving(database, tmp_path) as address:
        arguments = ["slo", "adopt", "shop", "--environment", "live", "--api", address, "--slos", str(own)]
        refused = CliRunner().invoke(main, arguments)
        adopted = CliRunner().invoke(main, ["prod" if each == "live" else each for each in arguments])
    assert refused.exit_code == 1
    assert refused.stderr == "'shop' has no draft objectives in the environment 'live'; it has in 'prod'\n"
    assert (adopted.exit_code, len(list(own.iterdir()))) == (0, 2)
