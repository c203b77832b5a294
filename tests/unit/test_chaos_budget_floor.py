import pytest

from api.models import Slo
from chaos.runner.checks import budget_left


@pytest.mark.parametrize(
    ("left", "draft", "ok", "blocks"),
    [
        (0.5, False, True, True),
        (0.05, False, False, True),
        (0.05, True, False, False),  # drawn up from traffic: nobody has promised it yet
        (None, False, True, False),
    ],
)
def test_a_spent_budget_stops_a_run_unless_it_is_that_of_a_draft(left, draft, ok, blocks):
    check = budget_left(Slo.model_construct(id="shop-latency", draft=draft, error_budget_remaining=left), 0.1)
    assert (check.ok, check.blocks) == (ok, blocks)


def test_a_check_that_lets_the_run_go_on_says_why():
    check = budget_left(Slo.model_construct(id="shop-latency", draft=True, error_budget_remaining=-2.0), 0.1)
    assert (
        check.detail
        == "the error budget of shop-latency has -200.0% left, 10% must be; it is a draft, so the run may go on"
    )
