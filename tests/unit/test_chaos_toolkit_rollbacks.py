import pytest

from chaos.toolkit.rollbacks import only_rollbacks, rollbacks_missing
from tests.unit.chaos_journals import NEW, ran

DOCUMENT = NEW["experiment"]


def test_only_the_rollbacks_are_left_and_what_they_need():
    """No guard may stop them, no hypothesis may be asked; a dry run stays dry."""
    left = only_rollbacks(
        {**DOCUMENT, "configuration": {"a": 1}, "controls": [1], "dry": "actions", "runtime": {"x": 1}}
    )
    assert left == {
        "title": DOCUMENT["title"], "description": "d", "rollbacks": DOCUMENT["rollbacks"], "method": [],
        "configuration": {"a": 1}, "dry": "actions", "runtime": {"hypothesis": {"strategy": "skip"}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rollbacks", "missing"),
    [([], True), (None, True), ([ran("action", "a")], False), ([ran("action", "a", "failed")], False), ([{}], True)],
)
def test_a_rollback_without_an_end_is_missing(rollbacks, missing):
    """One that failed was played; one in which the process was killed was not."""
    assert rollbacks_missing(DOCUMENT, {"rollbacks": rollbacks}) is missing


def test_who_declares_none_misses_none():
    assert not rollbacks_missing({"method": []}, {"rollbacks": []})
