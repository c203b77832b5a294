"""The SLO pages as a person walks them: from the list to the span that spent the budget, adopting, backtesting."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import past_spans
import pytest
from pages import PATIENCE_MS, SETTLED, Visit, open_page
from playwright.sync_api import Browser, Locator, expect
from stack import Stack, wait_for

WORST = "payments-prod-availability"
GROUPED = "storefront-routes"
SLOS = 6  # of each service its draft of p95, and of availability where no file has one
LINKS = ".nl-table a[href^='slo?id=']"


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    found = make_stack()
    (found.folder / "slos").mkdir()
    (found.folder / "slos" / f"{GROUPED}.yaml").write_text(past_spans.GROUPED)
    found.start()
    past_spans.send(found.url("otlp-http"))
    with found.api() as api:
        wait_for(lambda: len(_counted(api.slos())) == SLOS, 60, "the past to be counted")
    yield found
    assert found.stop() == 0, found.log


def _counted(slos):
    """Return those of which everything that was sent within their window is counted."""
    days = {slo.id: min(slo.period_s // 86400 - 1, past_spans.DAYS) for slo in slos}
    return [slo for slo in slos if slo.total >= past_spans.events(days[slo.id])]


@pytest.fixture(scope="module")
def visit(stack: Stack, browser: Browser) -> Iterator[Visit]:
    with open_page(browser, stack.url("dashboard")) as found:
        yield found
    assert found.foreign_requests == []
    assert found.unexpected_errors == []


def listed(visit: Visit) -> list[str]:
    """Return the ids of the SLOs in the list, from top to bottom."""
    visit.page.locator(LINKS).first.wait_for(timeout=PATIENCE_MS)
    hrefs = visit.page.locator(LINKS).evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return [href.removeprefix("slo?id=") for href in hrefs]


def choose(visit: Visit, label: str, option: str) -> None:
    visit.page.get_by_role("combobox", name=label).click()
    visit.page.get_by_role("option", name=option, exact=True).click()
    visit.page.locator(SETTLED).wait_for(timeout=PATIENCE_MS)


def section(visit: Visit, key: str) -> Locator:
    """Return a part of the page by the key that the page gave it."""
    return visit.page.locator(f".st-key-{key}")


def test_the_list_begins_with_the_least_budget_and_draws_the_trend(visit: Visit, stack: Stack, pictures: Path):
    visit.go("/slos")
    visit.sees("Exhausted")
    with stack.api() as api:
        left = {slo.id: slo.error_budget_remaining for slo in api.slos()}
    found = listed(visit)
    assert found[:2] == [WORST, GROUPED]
    assert [left[slo_id] for slo_id in found] == sorted(left.values())
    lines = visit.page.get_by_role("img", name=re.compile("^SLI by day"))
    assert lines.count() == SLOS
    assert re.search("1[23456] days with events: worst [89]", str(lines.first.get_attribute("aria-label")))
    visit.picture(pictures / "slos.png")


def test_a_filter_stays_in_the_address_for_whoever_gets_the_link(visit: Visit, browser: Browser):
    visit.go("/slos")
    choose(visit, "Service", "payments")
    expect(visit.page.locator(LINKS)).to_have_count(2, timeout=PATIENCE_MS)
    choose(visit, "State", "Exhausted")
    expect(visit.page.locator(LINKS)).to_have_count(1, timeout=PATIENCE_MS)
    visit.page.get_by_role("textbox", name="Search").fill("availability")
    visit.page.get_by_role("textbox", name="Search").press("Enter")
    expect(visit.page).to_have_url(re.compile("slo_text=availability"), timeout=PATIENCE_MS)
    with open_page(browser, visit.base) as other:
        other.go(visit.page.url.removeprefix(visit.base))
        assert listed(other) == [WORST]
        other.page.get_by_role("textbox", name="Search").fill("nobody")
        other.page.get_by_role("textbox", name="Search").press("Enter")
        other.sees("No SLO matches")
        other.page.get_by_role("button", name="Clear the search").click()
        expect(other.page.locator(LINKS)).to_have_count(SLOS, timeout=PATIENCE_MS)


def test_an_slo_tells_what_is_left_how_fast_it_goes_and_leads_to_the_guilty_span(visit: Visit):
    visit.go("/slos")
    visit.page.locator(LINKS).first.click()
    expect(visit.page).to_have_url(re.compile(f"/slo\\?id={WORST}"), timeout=PATIENCE_MS)
    headline = section(visit, "slo-headline")
    for words in ("Exhausted", "Budget left", "overspent", "Burn rate, last hour", "Runs out", "POST /charge"):
        expect(headline).to_contain_text(words, timeout=PATIENCE_MS)
    visit.page.locator("[data-testid=stEChartsChart][aria-busy=false]").first.wait_for(timeout=PATIENCE_MS)
    expect(section(visit, "slo-forecast")).to_contain_text("is spent")
    expect(section(visit, "slo-spenders")).to_contain_text("100 %")
    expect(section(visit, "slo-differences")).to_contain_text(past_spans.BAD_VERSION)
    expect(section(visit, "slo-burn")).to_contain_text("6 hours")
    section(visit, "slo-traces").get_by_role("link").first.click()
    expect(visit.page).to_have_url(re.compile(r"/trace\?trace=[0-9a-f]{32}&span=[0-9a-f]{16}"), timeout=PATIENCE_MS)
    chosen = visit.page.locator(".nl-waterfall .nl-chosen")
    expect(chosen).to_contain_text("POST /charge", timeout=PATIENCE_MS)
    expect(visit.page.locator(".nl-detail")).to_contain_text("CardGatewayTimeout")


def test_groups_conditions_and_the_end_of_the_budget_are_on_the_page_of_an_objective(
    visit: Visit, stack: Stack, pictures: Path
):
    visit.go(f"/slo?id={GROUPED}")
    groups = section(visit, "slo-groups").locator("tbody tr")
    expect(groups).to_have_count(2, timeout=PATIENCE_MS)
    expect(groups.first).to_contain_text("http.route = /checkout")
    expect(groups.first).to_contain_text("Exhausted")
    expect(section(visit, "slo-conditions")).to_contain_text("page")
    expect(section(visit, "slo-forecast")).to_contain_text("runs out")
    expect(section(visit, "slo-definition")).to_contain_text(str(stack.folder / "slos"))
    visit.picture(pictures / "slo.png")


def test_a_backtest_shows_the_alerts_of_one_target_and_that_another_sends_none(visit: Visit):
    visit.go(f"/slo?id={GROUPED}")
    result = section(visit, "slo-backtest-result")
    backtest(visit, "99.9")
    expect(result).to_contain_text("99.9 % over", timeout=PATIENCE_MS)
    expect(result.get_by_role("table", name="Alerts that would have been sent")).to_contain_text("page")
    backtest(visit, "50")
    expect(result).to_contain_text("No alert would have been sent", timeout=PATIENCE_MS)


def backtest(visit: Visit, target: str) -> None:
    field = visit.page.get_by_role("spinbutton", name="Target, %")
    field.fill(target)
    field.press("Tab")
    visit.page.get_by_role("button", name="Backtest", exact=True).click()


def test_the_adopt_button_writes_the_file_and_the_slo_is_no_draft_any_more(visit: Visit, stack: Stack):
    visit.go(f"/slo?id={WORST}")
    visit.page.get_by_role("button", name="Adopt this SLO").click()
    visit.sees("Written to")
    written = stack.folder / "slos" / f"{WORST}.yaml"
    assert "kind: SLO" in written.read_text()
    with stack.api() as api:
        wait_for(lambda: not api.slo(WORST).draft, 30, "the file to be in force")
    visit.go(f"/slo?id={WORST}")
    expect(section(visit, "slo-definition")).to_contain_text(str(written), timeout=PATIENCE_MS)
    expect(visit.page.get_by_role("button", name="Adopt this SLO")).to_have_count(0)


@pytest.mark.parametrize("path", ["/slos", f"/slo?id={WORST}", f"/slo?id={GROUPED}"])
def test_a_phone_scrolls_the_pages_down_only(path: str, visit: Visit, browser: Browser):
    with open_page(browser, visit.base, width=390, height=844) as phone:
        phone.go(path)
        phone.sees("Exhausted")
        phone.page.wait_for_timeout(500)
        assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
        wide = "[...document.querySelectorAll('.nl-root')].every(part => part.scrollWidth <= part.clientWidth)"
        assert phone.page.evaluate(wide)
    assert phone.unexpected_errors == []


def test_an_unknown_id_leads_to_the_list(visit: Visit):
    visit.go("/slo?id=nobody-knows-it")
    visit.sees("No SLO is called nobody-knows-it")
    visit.page.get_by_role("link", name="All SLOs").click()
    assert WORST in listed(visit)
