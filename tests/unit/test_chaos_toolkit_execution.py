"""A run of somebody else's Chaos Toolkit document, with an engine that only says what the toolkit would say."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from api.client import ApiError
from api.models import RunState
from chaos.errors import ExperimentError
from chaos.experiments.experiment_file import parse_experiment
from chaos.runner import toolkit_execution
from chaos.runner.runner import exit_code, run_experiment
from chaos.runner.stop import Stop
from chaos.toolkit.engine import EngineEvent
from chaos.toolkit.journal import note
from tests.unit.chaos_journals import checked, journal, ran, steady
from tests.unit.chaos_world import START, Api, Clock, Faults

DOCUMENT = """
title: Orders loses its cache
description: Not ours.
method: [{type: action, name: stop cache, provider: {type: python, module: m, func: f}}]
"""
JUDGED = f"""{DOCUMENT}
extensions:
  - name: ninelives
    hypothesis: [{{service: gateway, sli: latency, threshold_ms: 250, margin: 0.05}}]
"""
HEARTBEAT_S = 3


def at(seconds):
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()


def while_it_ran(**more):
    """A journal of the world's first forty seconds: broken after five, mended after thirty."""
    made = journal(start=at(0), end=at(40), **more)
    for played, moment in ((made["run"], 5), (made["rollbacks"], 30)):
        for each in played:
            each |= {"start": at(moment), "end": at(moment + 1)}
    return made


class Engine:
    """Takes *seconds* and asks its caller ten times a second whether to stop, as the real one does."""

    def __init__(self, clock, seconds=40):
        self.clock, self.seconds, self.journal, self.refusal, self.stopped_by = clock, seconds, journal(), "", ""

    def __call__(self, document, *, folder, on_event, stop):
        if self.refusal:
            raise ExperimentError(self.refusal)
        on_event(EngineEvent("started", document["title"], self.clock()))
        on_event(EngineEvent("start_method", "", self.clock()))
        began = self.clock()
        while (self.clock() - began).total_seconds() < self.seconds:
            self.clock.sleep(0.1)
            self.stopped_by = self.stopped_by or stop()
            if self.stopped_by:
                return note({**self.journal, "status": "aborted"}, reason=self.stopped_by)
        return self.journal


@pytest.fixture
def world(tmp_path, monkeypatch):
    clock = Clock()
    faults = Faults(clock)
    api = Api(clock, faults, slow=False)
    engine = Engine(clock)
    monkeypatch.setattr(toolkit_execution, "run_document", engine)

    def execute(text=DOCUMENT, **more):
        experiment = parse_experiment(text, name="cache-lost")
        return run_experiment(experiment, api, faults, data_dir=tmp_path, clock=clock, sleep=clock.sleep, **more)

    return api, engine, execute


def test_a_journal_that_proves_its_hypothesis_is_a_run_that_held(world):
    api, _, execute = world
    run = execute()
    assert (run.status, run.verdict, run.source, exit_code(run)) == ("finished", "held", "chaostoolkit", 0)
    assert run.journal["run"][0]["activity"]["name"] == "stop cache"
    assert [window.phase for window in run.windows] == ["baseline", "fault", "recovery"]
    assert api.saved[-1] == run


def test_a_steady_state_that_was_lost_is_a_deviation(world):
    _, engine, execute = world
    engine.journal = journal(steady_states=steady(checked(), checked(met=False)), deviated=True)
    run = execute()
    assert (run.status, run.verdict, exit_code(run)) == ("finished", "deviated", 1)


def test_expressions_in_tolerances_are_evaluated_because_the_journal_was_written_here(world):
    """Of an imported journal they would not be, and the run would be inconclusive."""
    _, engine, execute = world
    probe = ran("probe", "count", output="7", tolerance={"type": "regex", "pattern": "^7$"})
    engine.journal = journal(run=[ran("action", "stop cache"), probe])
    assert execute().verdict == "held"


def test_every_event_says_what_happens_also_where_the_engine_has_no_message_for_it(world):
    run = world[2]()
    assert [event.message for event in run.events if event.step == "activity"] == [
        "started: Orders loses its cache",
        "start method",
    ]


def heartbeats(api):
    return [run.heartbeat_at for run in api.saved]


@pytest.mark.parametrize("text", [DOCUMENT, JUDGED])
def test_the_runner_shows_that_it_lives_to_the_end_also_while_it_waits_for_spans(world, text):
    api, engine, execute = world
    engine.journal = while_it_ran()
    execute(text, lateness_s=20)
    beats = heartbeats(api)
    assert len(beats) >= 10
    assert max(later - earlier for earlier, later in pairwise(beats)) < timedelta(seconds=3)


def test_whoever_asks_over_the_api_stops_the_engine_within_seconds(world):
    api, engine, execute = world
    saving = api.save_run

    def save_run(run):
        saving(run)
        return RunState(stop_reason="alex (too loud)" if api.clock() >= START + timedelta(seconds=10) else "")

    api.save_run = save_run
    run = execute()
    assert engine.stopped_by == "alex (too loud)"
    assert (api.clock() - START).total_seconds() <= 10 + HEARTBEAT_S
    assert (run.status, run.verdict, exit_code(run)) == ("aborted", "aborted", 3)
    assert "alex (too loud)" in run.summary


def test_a_signal_stops_the_engine_at_once(world):
    _, engine, execute = world
    stop = Stop()

    def on_event(event):
        if event.message == "start method":
            stop.reason = "SIGTERM"

    run = execute(stop=stop, on_event=on_event)
    assert (engine.stopped_by, run.verdict) == ("SIGTERM", "aborted")


def test_a_document_that_the_toolkit_refuses_was_not_run(world):
    _, engine, execute = world
    engine.refusal = "Chaos Toolkit does not accept the experiment: no module named m"
    run = execute()
    assert (run.status, run.verdict, exit_code(run)) == ("failed", None, 4)
    assert "no module named m" in run.summary


def test_an_api_that_is_lost_ends_the_run_and_its_rollbacks_are_played(world):
    """Three heartbeats in a row; the engine plays rollbacks when it is asked to end."""
    api, engine, execute = world
    api.lost_at = START + timedelta(seconds=10)
    run = execute()
    assert engine.stopped_by == "the API stopped answering, so nothing could be counted"
    assert (api.clock() - START).total_seconds() < 20
    assert (run.status, run.verdict) == ("aborted", "aborted")


def test_a_journal_that_cannot_be_read_proves_nothing(world):
    _, engine, execute = world
    engine.journal = journal(start="yesterday")
    run = execute()
    assert (run.status, run.verdict, exit_code(run)) == ("finished", "inconclusive", 3)
    assert "start is no time" in run.summary


def test_lines_that_requests_decide_can_contradict_a_journal_that_held(world):
    """The toolkit's probes saw nothing; every request of five seconds and more was slow."""
    api, engine, execute = world
    engine.journal = while_it_ran()
    api.slow, api.faults.injected_at, api.faults.ended_at = True, START + timedelta(seconds=5), None
    run = execute(JUDGED)
    assert (run.verdict, [finding.verdict for finding in run.findings]) == ("deviated", ["deviated"])


@pytest.mark.parametrize(("met", "verdict"), [(True, "inconclusive"), (False, "deviated")])
def test_requests_that_cannot_be_counted_take_a_verdict_back_only_where_it_needed_them(world, met, verdict):
    api, engine, execute = world
    engine.journal = while_it_ran(steady_states=steady(checked(), checked(met=met)), deviated=not met)
    counting = api.sli

    def sli(service, *, start, end, **more):
        if api.clock() > START + timedelta(seconds=39):
            raise ApiError("the database did not answer")
        return counting(service, start=start, end=end, **more)

    api.sli = sli
    run = execute(JUDGED)
    assert run.verdict == verdict
    assert "Nothing could be counted (the database did not answer)." in run.summary
