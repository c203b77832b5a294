"""What objectives promised is stored once, by whoever notices, and read back as it was."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from evaluator import revisions as keeping
from evaluator.revisions import RevisionKeeper
from slo.draft import drafts
from slo.revision import Revision, revision_in_force
from storage.slo_revisions import append_revisions, last_revision_batch, latest_revisions, load_revisions

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SLO = replace(drafts("checkout", "prod")[0], draft=False, source="slos/checkout.yaml")
TIGHTER = replace(SLO, target=Decimal("0.9999"))


def keeper(database, name="one"):
    return RevisionKeeper(database, writer=name, author="ada", commit_of=lambda source: f"commit of {source}")


def test_a_new_objective_is_its_first_revision_and_comes_back_as_it_was(database):
    assert keeper(database).update([SLO], NOW) == 1
    (found,) = load_revisions(database)[SLO.id]
    assert found == Revision(1, NOW, "ada", "commit of slos/checkout.yaml", SLO)
    assert latest_revisions(database)[SLO.id].digest == found.digest


def test_only_a_change_makes_another_revision(database):
    one = keeper(database)
    for minute, slo in enumerate((SLO, SLO, replace(SLO), TIGHTER, TIGHTER, SLO)):
        one.update([slo], NOW + minute * MINUTE)
    found = load_revisions(database, [SLO.id])[SLO.id]
    assert [(item.number, item.at - NOW, item.slo.target) for item in found] == [
        (1, 0 * MINUTE, SLO.target),
        (2, 3 * MINUTE, TIGHTER.target),
        (3, 5 * MINUTE, SLO.target),
    ]
    judge = revision_in_force(found, NOW + 4 * MINUTE)
    assert judge is not None
    assert judge.slo == TIGHTER


def test_a_restart_stores_nothing_that_is_stored(database):
    keeper(database).update([SLO], NOW)
    assert keeper(database, "after the restart").update([replace(SLO)], NOW + MINUTE) == 0
    assert len(load_revisions(database)[SLO.id]) == 1


def test_drafts_have_no_revisions(database):
    assert keeper(database).update(drafts("checkout", "prod"), NOW) == 0
    assert load_revisions(database) == {}


def test_of_several_writers_of_one_batch_one_is_kept(database):
    wins, barrier = [], threading.Barrier(4)

    def race(name):
        barrier.wait()
        for number in range(1, 6):
            made = [Revision(number, NOW, name, "", replace(SLO, id=slo_id)) for slo_id in ("a", "b")]
            wins.extend([number] * append_revisions(database, made, writer=name, after=number - 1, now=NOW))

    threads = [threading.Thread(target=race, args=(f"writer {index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [1, 2, 3, 4, 5]
    assert last_revision_batch(database) == 5
    found = load_revisions(database)
    assert [item.number for item in found["a"]] == [item.number for item in found["b"]] == [1, 2, 3, 4, 5]
    assert [item.author for item in found["a"]] == [item.author for item in found["b"]]


def test_two_evaluators_with_other_files_do_not_answer_each_other_for_ever(database):
    left, right = keeper(database, "left"), keeper(database, "right")
    for minute in range(6):
        left.update([SLO], NOW + minute * MINUTE)
        right.update([TIGHTER], NOW + minute * MINUTE)
    assert [item.slo.target for item in load_revisions(database)[SLO.id]] == [SLO.target, TIGHTER.target]


def test_one_that_lost_the_race_looks_again_at_the_next_tick(database, monkeypatch):
    assert append_revisions(database, [Revision(1, NOW, "grace", "", SLO)], writer="other", after=0, now=NOW)
    monkeypatch.setattr(keeping, "last_revision_batch", lambda _database: 0)  # read before the other one wrote
    monkeypatch.setattr(keeping, "latest_revisions", lambda _database: {})
    late = keeper(database)
    assert late.update([TIGHTER], NOW) == 0
    monkeypatch.undo()
    assert late.update([TIGHTER], NOW + MINUTE) == 1
    assert [item.author for item in load_revisions(database)[SLO.id]] == ["grace", "ada"]


def test_a_thousand_new_objectives_are_one_insert(database, monkeypatch):
    inserts, insert = [], database.insert
    monkeypatch.setattr(database, "insert", lambda *given, **more: (inserts.append(given[0]), insert(*given, **more)))
    many = [replace(SLO, id=f"slo-{index}") for index in range(1000)]
    one = keeper(database)
    assert [one.update(many, NOW + minute * MINUTE) for minute in range(2)] == [1000, 0]
    assert inserts == ["slo_revisions"]
    assert len(load_revisions(database)) == 1000


def test_a_revision_in_unknown_words_hides_no_other(database, caplog):
    keeper(database).update([SLO], NOW)
    row = (SLO.id, 2, NOW, "", "", "d", 1, "0.9", "w", '{"type": "Newer"}')
    columns = ["slo_id", "revision", "at", "author", "commit", "digest", "series", "target", "writer", "definition"]
    database.insert("slo_revisions", [row], columns, token="newer")
    assert [item.number for item in load_revisions(database)[SLO.id]] == [1]
    assert "revision 2" in caplog.text


@pytest.mark.parametrize("asked", [["nothing"], ["nothing", "else"]])
def test_an_unknown_objective_has_no_revisions(database, asked):
    keeper(database).update([SLO], NOW)
    assert load_revisions(database, asked) == {}
