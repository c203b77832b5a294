"""Runs over the API: reported by their runner, listed in pages, stopped, and aborted when their runner is silent."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api import models as m
from api.client import ApiClient, ApiError
from storage.tokens import Token, Tokens, digest, write_tokens
from tests.integration.chaos_api import api_over

NOW = datetime.now(UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def api(database):
    with api_over(database) as found:
        yield found


def run(run_id, *, began=NOW, heartbeat=None, **fields):
    return m.Run(
        **{
            "id": run_id, "experiment": "late", "title": "Orders is late", "status": "running", "verdict": None,
            "started_at": began, "ended_at": None, "heartbeat_at": heartbeat or datetime.now(UTC),
            "services": ["orders"], **fields,
        }
    )  # fmt: skip


def finished(run_id, **fields):
    return run(run_id, **{"status": "finished", "verdict": "held", "ended_at": NOW + SECOND, **fields})


def test_a_runner_hears_with_its_heartbeat_that_someone_wants_it_to_stop(api):
    assert api.save_run(run("r1")) == m.RunState(stop_reason="")
    stopped = api.stop_run("r1", by="Ada", reason="the shop is slow")
    assert stopped.stop_reason == "stopped by Ada: the shop is slow"
    api.stop_run("r1", by="Bob")
    assert api.save_run(run("r1", heartbeat=NOW + SECOND)) == stopped, "the first to ask stands"
    assert api.run("r1").stop_reason == stopped.stop_reason
    assert api.save_run(run("r2")).stop_reason == ""
    assert api.stop_run("r2").stop_reason == "stopped by someone"


def test_only_a_run_that_goes_on_can_be_stopped(api):
    with pytest.raises(ApiError, match="no run 'r1'") as unknown:
        api.stop_run("r1")
    api.save_run(finished("r1"))
    with pytest.raises(ApiError, match="is finished, there is nothing left to stop") as over:
        api.stop_run("r1")
    assert (unknown.value.status, over.value.status) == (404, 409)


def test_a_list_has_what_a_run_came_to_and_not_all_that_it_holds(api):
    cost = m.BudgetCost(
        slo_id="a", total=9, bad=3, organic_bad=1, chaos_bad=2, chaos_share=0.25, organic_share=0.1
    )  # fmt: skip
    whole = finished("r1", outcome=m.Outcome(budget=[cost]), journal={"run": []}, method=[{"kind": "kill"}])
    api.save_run(whole)
    api.save_run(run("r2", began=NOW - SECOND))
    assert api.run("r1") == whole
    first, second = api.runs()
    assert (first.id, first.verdict, first.chaos_share, first.method) == ("r1", "held", 0.25, [{"kind": "kill"}])
    assert (second.id, second.status, second.verdict, second.chaos_share) == ("r2", "running", None, None)


def test_runs_are_listed_in_pages_by_experiment_and_environment(api):
    for number in range(5):
        api.save_run(finished(f"r{number}", began=NOW - number * SECOND, environment="prod" if number else "test"))
    page = api.runs_page(limit=2)
    assert [item.id for item in page.items] == ["r0", "r1"]
    rest = api.runs_page(limit=3, cursor=page.next_cursor)
    assert ([item.id for item in rest.items], rest.next_cursor) == (["r2", "r3", "r4"], None)
    assert [item.id for item in api.runs(environment="test")] == ["r0"]
    assert api.runs(experiment="else") == []
    with pytest.raises(ApiError, match="cursor='x'"):
        api.runs_page(cursor="x")


def test_a_silent_runner_was_aborted_wherever_its_run_is_shown(api):
    fault = m.RunWindow(phase="fault", started_at=NOW - 80 * SECOND, ended_at=NOW - 40 * SECOND)
    api.save_run(run("r1", began=NOW - 90 * SECOND, heartbeat=NOW - 40 * SECOND, windows=[fault]))
    api.save_run(run("r2", began=NOW - 90 * SECOND, heartbeat=NOW - 40 * SECOND))
    (listed, _), whole = api.runs(), api.run("r1")
    for found in (listed, whole):
        assert (found.status, found.verdict, found.ended_at) == ("aborted", "aborted", NOW - 40 * SECOND)
        assert "fell silent" in found.summary
    assert {band.id: band.ended_at for band in api.annotations()} == {"r1": fault.ended_at, "r2": NOW - 40 * SECOND}
    assert api.stop_run("r1").stop_reason, "its runner may come back, and shall then hear of it"


def test_who_stopped_a_run_is_on_record_by_their_token(database, tmp_path):
    path = tmp_path / "tokens.yaml"
    write_tokens(
        path,
        [
            Token("pipeline", frozenset({"operate"}), digest("o")),
            Token("screen", frozenset({"read"}), digest("r")),
        ],
    )
    with (
        api_over(database, tokens=Tokens(path)) as api,
        ApiClient(api.base_url, token="o") as operator,
        ApiClient(api.base_url, token="r") as reader,
    ):
        operator.save_run(run("r1"))
        for change in (lambda: reader.stop_run("r1"), lambda: reader.save_run(run("r1"))):
            with pytest.raises(ApiError, match="has no scope 'operate'"):
                change()
        assert operator.stop_run("r1", reason="late").stop_reason == "stopped by pipeline: late"
        assert operator.stop_run("r1", by="Ada").stop_reason == "stopped by pipeline: late"
    stops = database.command("SELECT arrayStringConcat(groupArray(concat(author, '/', token)), ',') FROM run_stops")
    assert sorted(stops.split(",")) == ["/pipeline", "Ada/pipeline"]


def test_runs_of_others_can_be_stored_and_a_huge_one_is_refused(api):
    journal = {"run": [{"output": "x" * 1_000_000}]}
    api.save_run(finished("theirs", source="chaostoolkit", journal=journal))
    assert (api.runs()[0].source, api.run("theirs").journal) == ("chaostoolkit", journal)
    with pytest.raises(ApiError, match="larger than 2 MiB; send less, of a run for example its journal") as refusal:
        api.save_run(finished("huge", journal={"run": ["x" * (2 << 20)]}))
    assert refusal.value.status == 413

    def in_pieces():
        yield from (b'{"id": "', *(b"x" * 65536 for _ in range(40)))

    answer = httpx.put(f"{api.base_url}/api/v1/runs/huge", content=in_pieces(), trust_env=False)
    assert (answer.status_code, "larger than 2 MiB" in answer.json()["detail"]) == (413, True)
    assert [item.id for item in api.runs()] == ["theirs"]
