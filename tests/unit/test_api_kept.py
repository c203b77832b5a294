import threading
from datetime import UTC, datetime, timedelta

import pytest

from api.kept import MOST_KEPT, Kept

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_an_answer_is_made_once_until_it_is_too_old():
    kept, made = Kept[int](MINUTE), iter(range(10))
    assert [kept.answer("a", NOW + step, lambda: next(made)) for step in (0 * MINUTE, MINUTE, 2 * MINUTE)] == [0, 0, 1]
    assert kept.answer("b", NOW, lambda: next(made)) == 2


def test_an_answer_that_takes_long_keeps_no_other_waiting():
    kept, ready = Kept[str](MINUTE), threading.Event()
    slow = threading.Thread(target=kept.answer, args=("slow", NOW, lambda: str(ready.wait(10))))
    slow.start()
    assert kept.answer("quick", NOW, lambda: "at once") == "at once"
    ready.set()
    slow.join(10)
    assert kept.answer("slow", NOW, lambda: "made again") == "True"


def test_who_asks_for_an_answer_that_is_being_made_gets_that_one():
    kept, entered, ready, answers = Kept[str](MINUTE), threading.Event(), threading.Event(), []

    def slow():
        entered.set()
        ready.wait(10)
        return "first"

    first = threading.Thread(target=lambda: answers.append(kept.answer("a", NOW, slow)))
    first.start()
    entered.wait(10)
    second = threading.Thread(target=lambda: answers.append(kept.answer("a", NOW, lambda: "second")))
    second.start()
    ready.set()
    first.join(10)
    second.join(10)
    assert answers == ["first", "first"]


def test_a_failure_is_not_kept():
    kept = Kept[int](MINUTE)
    with pytest.raises(ZeroDivisionError):
        kept.answer("a", NOW, lambda: 1 // 0)
    assert kept.answer("a", NOW, lambda: 1) == 1


def test_there_are_never_more_answers_than_the_limit():
    kept = Kept[int](MINUTE)
    for number in range(MOST_KEPT + 1):
        kept.answer(number, NOW, lambda number=number: number)
    assert kept.answer(MOST_KEPT, NOW, lambda: -1) == MOST_KEPT
    assert kept.answer(0, NOW, lambda: -1) == -1
