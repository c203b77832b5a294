"""Each experiment of the demo, from one file: held where the shop is resilient, deviated where it is fragile."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from stack import Stack, wait_for

from api.models import Run

EXPERIMENTS = Path(find_spec("demo").origin).parent / "experiments"
KINDS = {
    "cache-latency": "latency",
    "orders-partition": "partition",
    "orders-kill": "kill",
    "orders-cpu": "cpu",
    "orders-file-descriptors": "file_descriptors",
}
VERDICTS = {"resilient": ("held", 0), "fragile": ("deviated", 1)}
QUICK = ("cache-latency", "orders-partition")


@pytest.fixture(scope="module")
def demo(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    stack = make_stack("--demo", "--no-dashboard")
    stack.start()
    yield stack
    assert stack.stop() == 0, stack.log


@pytest.mark.parametrize("configuration", VERDICTS)
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in KINDS]
)
def test_an_experiment_is_held_by_the_resilient_and_deviated_by_the_fragile_shop(
    demo: Stack, name: str, configuration: str
):
    """With the traces that show it, and what it took from the budgets."""
    assert demo.command("demo", "configure", configuration).returncode == 0
    wait_until_calm(demo)
    found = demo.command("chaos", "run", str(EXPERIMENTS / f"{name}.yaml"))
    run = newest(demo, name)
    verdict, exit_code = VERDICTS[configuration]
    assert (run.verdict, found.returncode) == (verdict, exit_code), run.summary
    assert [fault["kind"] for fault in run.method] == [KINDS[name]]
    assert next(check.ok for check in run.validity if check.name == "fault seen in spans"), run.summary
    require_outcome(demo, run)


def require_outcome(demo: Stack, run: Run) -> None:
    """Require traces that can be opened, budgets of the services on the way, and a shop that is whole again."""
    assert run.outcome is not None
    assert run.outcome.exemplars["treatment"]
    with demo.api() as api:
        assert api.trace(run.outcome.exemplars["treatment"][0]).spans
    costs = {cost.slo_id: cost for cost in run.outcome.budget}
    assert {"gateway-availability", "gateway-latency"} <= costs.keys()
    gateway = max(costs["gateway-availability"].chaos_bad, costs["gateway-latency"].chaos_bad)
    assert gateway > 0 or run.verdict == "held"
    assert ("gateway", "orders") in {(edge.client, edge.server) for edge in run.outcome.propagation}
    assert run.outcome.versions == {"gateway": ["1.4.2"]}


def newest(demo: Stack, name: str) -> Run:
    with demo.api() as api:
        return api.run(api.runs(experiment=name)[0].id)


def wait_until_calm(demo: Stack) -> None:
    """Wait until nothing of the last experiment or of the machine's other work is in the next baseline."""
    with demo.api() as api:

        def calm() -> bool:
            end = datetime.now(UTC) - timedelta(seconds=3)
            found = api.sli("gateway", start=end - timedelta(seconds=20), end=end, threshold_ms=400)
            return found.total > 400 and found.slow <= 0.02 * found.total and found.errors == 0

        wait_for(calm, 120, "the shop to be calm")
