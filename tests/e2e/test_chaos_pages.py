"""The pages of chaos in a real browser: a result is read, a run is stopped, another one is started."""

import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest
from fastapi import FastAPI
from pages import PATIENCE_MS, SETTLED, Visit, open_page
from playwright.sync_api import Browser, Locator, Page, expect
from stack import Stack, free_port, get_status, wait_for

from api import models as m
from dashboard.launch import command
from tests.unit import chaos_runs
from tests.unit.dashboard_api import build_api, serving

RESULT = "cache-latency-1"
RUNNING = "cache-latency-2"
WIDE = "[...document.querySelectorAll('.nl-root')].filter(part => part.scrollWidth > part.clientWidth + 1).length"


def hostile() -> m.Run:
    """Return a run whose every text is an enemy's, as large as the API takes one."""
    whole = chaos_runs.hostile()
    few = {"findings": whole.findings[:2], "validity": whole.validity[:2], "events": whole.events[:5]}
    return whole.model_copy(
        update={**few, "method": whole.method[:2], "outcome": None, "preflight": None, "journal": None}
    )


class Runner:
    """What a runner tells the API: a sign of life twice a second, and the end once it is asked for."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._over = Event()
        self._thread = Thread(target=self._work)
        self.stop_reason = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(20)

    def _work(self) -> None:
        run = chaos_runs.running(RUNNING, now=datetime.now(UTC))
        with self._stack.api() as api:
            while not self._over.wait(0.5):
                now = datetime.now(UTC)
                run = run.model_copy(update={"heartbeat_at": now})
                self.stop_reason = api.save_run(run).stop_reason
                if self.stop_reason:
                    told = m.RunEvent(at=now, step="stop", message=self.stop_reason)
                    end: dict[str, Any] = {"status": "aborted", "verdict": "aborted", "ended_at": now}
                    api.save_run(run.model_copy(update={**end, "events": [*run.events, told]}))
                    return


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Return the program with runs on record, as runners save them."""
    found = make_stack()
    found.start()
    recently = datetime.now(UTC) - timedelta(hours=1)
    with found.api() as api:
        for run in (chaos_runs.run(RESULT, start=recently), chaos_runs.imported(), hostile()):
            api.save_run(run)
    wait_for(lambda: get_status(found.url("dashboard") + "/_stcore/health") == 200, 60, "the dashboard to answer")
    yield found
    assert found.stop() == 0, found.log


@pytest.fixture
def visit(stack: Stack, browser: Browser) -> Iterator[Visit]:
    with open_page(browser, stack.url("dashboard")) as found:
        yield found
    assert found.foreign_requests == []
    assert found.unexpected_errors == []


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[FastAPI, str]]:
    """Return an API that starts experiments without breaking anything, and the address of a dashboard that reads it."""
    app, port = build_api(), free_port()
    with serving(app) as url:
        address = f"http://127.0.0.1:{port}"
        with subprocess.Popen(command("127.0.0.1", port, url), stdin=subprocess.PIPE) as process:
            wait_for(lambda: get_status(f"{address}/_stcore/health") == 200, 60, "the dashboard to answer")
            yield app, address
            assert process.stdin is not None
            process.stdin.close()  # it ends with whoever started it
            process.wait(15)


@pytest.fixture
def shop_visit(shop: tuple[FastAPI, str], browser: Browser) -> Iterator[Visit]:
    shop[0].state.started.clear()
    with open_page(browser, shop[1]) as found:
        yield found
    assert found.foreign_requests == []
    assert found.unexpected_errors == []


def section(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}")


def sees(part: Locator, text: str | re.Pattern[str]) -> None:
    expect(part).to_contain_text(text, timeout=PATIENCE_MS)


def test_the_result_of_a_run_is_one_click_from_the_list_and_says_its_verdict_first(visit: Visit, pictures: Path):
    visit.go("/chaos")
    row = section(visit.page, "chaos-table").locator("tbody tr").filter(has_text="The catalog's cache answers").first
    sees(row, "Deviated")
    row.get_by_role("link").first.click()
    expect(visit.page).to_have_url(re.compile(f"/run\\?id={RESULT}"), timeout=PATIENCE_MS)
    sees(section(visit.page, "run-verdict"), "The fault hurt more than the hypothesis allows.")
    sees(section(visit.page, "run-verdict"), "990 of 24,010")
    charts = visit.page.locator("[data-testid=stEChartsChart]")
    expect(charts).to_have_count(2, timeout=PATIENCE_MS)
    expect(visit.page.get_by_role("img", name=re.compile("deviated: difference \\+4.07 pp"))).to_be_visible()
    sees(section(visit.page, "run-error-budget"), "2.14 %")
    sees(section(visit.page, "run-alerts"), "Did not fire")
    sees(section(visit.page, "run-who-else-felt-it"), "retries amplified")
    expect(section(visit.page, "run-traces-to-look-at").get_by_role("link")).to_have_count(6)
    visit.picture(pictures / "chaos-result.png")


def test_a_journal_of_the_chaos_toolkit_is_shown_with_its_activities(visit: Visit):
    visit.go("/run?id=imported-1")
    activities = section(visit.page, "run-activities")
    sees(activities, "slow the cache")
    sees(activities, "ActivityFailed: no such container")
    sees(section(visit.page, "run-verdict"), "The data do not decide.")


def test_stop_stays_in_sight_and_one_press_ends_the_run_for_everyone(stack: Stack, visit: Visit, pictures: Path):
    with Runner(stack) as runner:
        wait_for(lambda: _is_known(stack), 20, "the run to be on record")
        visit.go(f"/run?id={RUNNING}")
        sees(section(visit.page, "run-phases"), "Now: fault")
        stop = visit.page.get_by_role("button", name="STOP")
        visit.page.mouse.move(700, 600)
        visit.page.mouse.wheel(0, 5000)
        visit.page.wait_for_timeout(500)
        expect(stop).to_be_in_viewport(ratio=1)
        visit.page.screenshot(path=_made(pictures) / "chaos-live.png")
        visit.page.get_by_role("button", name="Say who and why").click()
        why = visit.page.get_by_role("textbox", name="Why")
        visit.page.get_by_role("textbox", name="Your name").fill("Ann")
        why.fill("customers complain")
        why.press("Enter")
        visit.page.locator(SETTLED).wait_for(timeout=PATIENCE_MS)
        visit.page.keyboard.press("Escape")
        stop.click()
        sees(section(visit.page, "run-verdict"), "Aborted")
        assert runner.stop_reason == "stopped by Ann: customers complain"
    sees(section(visit.page, "run-verdict"), "stopped by Ann: customers complain")
    sees(section(visit.page, "run-events"), "stopped by Ann: customers complain")
    expect(visit.page.get_by_role("button", name="STOP")).to_have_count(0)


def _is_known(stack: Stack) -> bool:
    with stack.api() as api:
        return any(run.id == RUNNING for run in api.runs())


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_hostile_run_is_text_and_fits_a_telephone(stack: Stack, browser: Browser):
    with open_page(browser, stack.url("dashboard"), width=390, height=844) as phone:
        phone.page.on("dialog", lambda dialog: pytest.fail(f"a title ran: {dialog.message}"))
        phone.go("/run?id=hostile")
        sees(section(phone.page, "run-verdict"), chaos_runs.ATTACK)
        phone.page.wait_for_timeout(500)
        assert phone.page.evaluate("document.querySelectorAll('.nl-root img, .nl-root script').length") == 0
        assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
        assert phone.page.evaluate(WIDE) == 0
    assert phone.unexpected_errors == []


def test_before_a_run_it_says_what_it_would_do_and_two_quick_presses_start_one(
    shop: tuple[FastAPI, str], shop_visit: Visit
):
    page = shop_visit.page
    shop_visit.go("/chaos")
    section(page, "chaos-experiments").get_by_role("link", name="Orders dies").click()
    expect(page).to_have_url(re.compile("/experiment\\?name=orders-kill"), timeout=PATIENCE_MS)
    sees(section(page, "experiment-state"), "Ready")
    sees(section(page, "experiment-blast"), "30 % of the requests")
    sees(section(page, "experiment-costs"), "1.80 %")
    page.get_by_role("button", name="Run", exact=True).click()
    shop_visit.sees("This injects latency on orders-cache")
    page.get_by_role("button", name="Break it now").dblclick()
    expect(page).to_have_url(re.compile(f"/run\\?id={RUNNING}"), timeout=PATIENCE_MS)
    sees(section(page, "run-phases"), "Now:")
    assert shop[0].state.started == ["orders-kill"]


def test_a_run_is_started_with_the_keyboard_alone(shop: tuple[FastAPI, str], shop_visit: Visit):
    page = shop_visit.page
    shop_visit.go("/experiment?name=orders-kill")
    sees(section(page, "experiment-state"), "Ready")
    page.get_by_role("button", name="Run", exact=True).focus()
    page.keyboard.press("Enter")
    start = page.get_by_role("button", name="Break it now")
    expect(start).to_be_visible(timeout=PATIENCE_MS)
    for _ in range(10):
        page.keyboard.press("Tab")
        if start.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/run\\?id="), timeout=PATIENCE_MS)
    assert shop[0].state.started == ["orders-kill"]


def test_a_blocked_experiment_offers_no_run_and_says_why(shop_visit: Visit):
    shop_visit.go("/experiment?name=blocked")
    shop_visit.sees("It cannot run now")
    shop_visit.sees("gateway-availability fires since 13:58 UTC")
    expect(shop_visit.page.get_by_role("button", name="Run", exact=True)).to_be_disabled()


@pytest.mark.parametrize("path", ["chaos", "experiment?name=orders-kill", f"run?id={RUNNING}", f"run?id={RESULT}"])
def test_a_phone_scrolls_down_only(path: str, shop: tuple[FastAPI, str], browser: Browser):
    with open_page(browser, shop[1], width=390, height=844) as phone:
        phone.go(f"/{path}")
        phone.sees("The catalog's cache" if not path.startswith("experiment") else "Orders dies")
        phone.page.wait_for_timeout(500)
        assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
        assert phone.page.evaluate(WIDE) == 0
        if path == f"run?id={RUNNING}":
            expect(phone.page.get_by_role("button", name="STOP")).to_be_in_viewport(ratio=1)
    assert phone.unexpected_errors == []
