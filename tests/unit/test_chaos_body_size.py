"""What the API stores of a run fits into its limit, and says what was left out."""

import pytest

from api.body_limit import MOST_BYTES
from api.models import RunEvent
from chaos.runner.body_size import shortened
from chaos.runner.recorder import Recorder
from chaos.runner.run_store import read_runs
from tests.unit.chaos_world import START, Api, Clock, Faults, running_run


def size(run):
    return len(run.model_dump_json().encode())


def with_parts(**parts):
    return running_run().model_copy(update=parts)


def journal(texts, length, *, letter="x"):
    return {"run": [{"output": letter * length, "status": "succeeded"} for _ in range(texts)]}


def events(number, length=1):
    return [RunEvent(at=START, step=f"s-{each}", message="m" * length) for each in range(number)]


def test_a_run_that_fits_is_left_as_it_is():
    run = with_parts(journal=journal(100, 10_000), document={"title": "t"}, events=events(1000))
    assert shortened(run) == run


@pytest.mark.parametrize("letter", ["x", "ü", "\x00"])
def test_long_outputs_go_first_and_what_happened_stays(letter):
    """Whatever a character weighs: JSON escapes some, and UTF-8 takes two bytes for others."""
    run = shortened(with_parts(journal=journal(700, 4000, letter=letter), document={"title": "t"}))
    assert size(run) <= MOST_BYTES
    assert run.journal["run"][0] == {"output": f"{letter * 200}[3800 characters left out]", "status": "succeeded"}
    assert len(run.journal["run"]) == 700
    assert run.document == {"title": "t"}


def test_a_journal_of_many_small_parts_goes_whole_and_the_document_stays():
    run = shortened(with_parts(journal=journal(100_000, 10), document={"title": "t"}))
    assert size(run) <= MOST_BYTES
    assert "the API takes 2 MiB; the runner's data folder has it" in run.journal["left_out"]
    assert run.document == {"title": "t"}


def test_a_document_that_is_too_large_goes_after_the_journal():
    run = shortened(with_parts(document={"method": ["y" * 100] * 50_000}, events=events(3)))
    assert size(run) <= MOST_BYTES
    assert run.document.keys() == {"left_out"}
    assert len(run.events) == 3


def test_of_an_endless_timeline_the_beginning_and_the_end_stay():
    run = shortened(with_parts(events=events(50_000, 50), summary="s" * 10**6))
    assert size(run) <= MOST_BYTES
    assert (run.events[0].step, run.events[-1].step) == ("s-0", "s-49999")
    assert "49800 events left out" in run.events[100].message


def test_the_recorder_keeps_the_whole_run_and_sends_what_the_api_takes(tmp_path):
    clock = Clock()
    api = Api(clock, Faults(clock))
    recorder = Recorder(api, tmp_path, patience_s=1)
    run = with_parts(journal=journal(700, 4000))
    recorder.heartbeat(run)
    recorder.final(run)
    assert [size(sent) <= MOST_BYTES for sent in api.saved] == [True, True]
    assert read_runs(tmp_path, now=START) == [run]
