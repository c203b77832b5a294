"""From what a service sends to the pages Ingest, Metrics and Logs, and from exemplars and records to their traces."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pages import PATIENCE_MS, SETTLED, Visit, open_page
from PIL import Image
from playwright.sync_api import Browser, expect
from stack import Stack, wait_for

SENDER = Path(__file__).with_name("sdk_signals.py")
TRACE_PAGE = re.compile(r"/trace\?trace=[0-9a-f]{32}&span=[0-9a-f]{16}")
DIAMOND = (124, 58, 237)


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    found = make_stack()
    found.start()
    subprocess.run([sys.executable, str(SENDER), found.url("otlp-http"), "4"], check=True, timeout=60)
    with found.api() as api:
        wait_for(lambda: api.logs().items and api.metrics() and api.status().spans_stored, 20, "the three signals")
        wait_for(lambda: len(api.ingest().stages) == 3, 20, "the first report of the collector")
    yield found
    assert found.stop() == 0, found.log


@pytest.fixture(scope="module")
def visit(stack: Stack, browser: Browser) -> Iterator[Visit]:
    with open_page(browser, stack.url("dashboard")) as found:
        yield found
    assert found.foreign_requests == []
    assert found.unexpected_errors == []


def lands_on_its_trace(visit: Visit, name: str) -> None:
    """Wait until the visit is on the page of a trace whose span *name* is shown."""
    expect(visit.page).to_have_url(TRACE_PAGE, timeout=PATIENCE_MS)
    visit.sees(name)


def test_the_ingest_page_tells_stages_volumes_and_what_to_mend(visit: Visit, pictures: Path):
    visit.go("/ingest")
    visit.sees("No alarm: everything that was acknowledged is stored or on its way")
    for words in ("Takes data", "Stored by service", "billing"):
        visit.sees(words)
    visit.sees("span names hold ids")
    visit.sees("span.update_name('GET /users/{id}')")
    visit.picture(pictures / "ingest.png")


def test_a_metric_is_chosen_aggregated_and_grouped_by_its_address(visit: Visit, pictures: Path):
    visit.go("/metrics?metric=invoice.duration&metric_group=region&show_histogram=p50&metric_range=15m")
    visit.sees("Making one")
    for region in ("region=eu", "region=us"):
        visit.sees(region)
    visit.picture(pictures / "metrics.png")


def test_a_click_on_an_exemplar_in_the_chart_opens_its_trace(visit: Visit):
    visit.go("/metrics?metric=invoice.duration&metric_range=15m")
    visit.sees("click one to open its trace")
    canvas = visit.page.locator("[data-testid=stEChartsChart][aria-busy=false]")
    visit.page.get_by_text("Live", exact=True).click()  # a refresh would move the points under the pointer
    expect(visit.page.get_by_role("switch", name="Live")).not_to_be_checked()
    visit.page.locator(SETTLED).wait_for(timeout=PATIENCE_MS)
    canvas.wait_for(timeout=PATIENCE_MS)
    visit.page.wait_for_timeout(500)
    left, top = diamond(canvas.screenshot())
    canvas.click(position={"x": left, "y": top})
    lands_on_its_trace(visit, "GET /invoices/")


def diamond(picture: bytes) -> tuple[int, int]:
    """Return where a point of the exemplars' colour lies, below the legend."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    for top in range(70, image.height):
        for left in range(image.width):
            here = image.getpixel((left, top))
            if all(abs(part - wanted) < 50 for part, wanted in zip(here, DIAMOND, strict=True)):
                return left, top + 2
    return pytest.fail("no exemplar is drawn")


def test_an_exemplar_in_the_list_leads_to_its_trace(visit: Visit):
    visit.go("/metrics?metric=invoice.duration&metric_range=15m")
    visit.page.get_by_role("link", name=re.compile("^trace [0-9a-f]{8}$")).first.click()
    lands_on_its_trace(visit, "GET /invoices/")


def test_a_log_record_is_found_unfolds_and_leads_to_its_trace(visit: Visit, pictures: Path):
    visit.go("/logs?log_text=DECLINED&log_severity=Error+and+above&log_range=15m")
    first = visit.page.get_by_role("button", name="the card was declined").first
    visit.picture(pictures / "logs.png")
    first.click()
    visit.sees("customer.id")
    visit.sees("deployment.environment.name")
    assert "record=" in visit.page.url
    visit.page.get_by_role("link", name="Trace", exact=True).first.click()
    lands_on_its_trace(visit, "GET /invoices/")


def test_the_records_of_one_trace_are_a_click_away(visit: Visit):
    visit.go("/logs?log_text=declined&log_range=15m")
    visit.page.get_by_role("button", name="the card was declined").first.click()
    visit.page.get_by_role("button", name="Only its records").click()
    visit.sees("2 records")
    expect(visit.page.get_by_role("textbox", name="Trace")).to_have_value(re.compile("^[0-9a-f]{32}$"))


def test_a_record_in_the_address_is_open_for_whoever_gets_the_link(visit: Visit, browser: Browser):
    visit.go("/logs?log_text=declined&log_range=15m")
    visit.page.get_by_role("button", name="the card was declined").first.click()
    visit.sees("customer.id")
    with open_page(browser, visit.base, width=390, height=844) as phone:
        phone.go(visit.page.url.removeprefix(visit.base))
        phone.sees("customer.id")
        assert phone.page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_search_without_a_match_says_so_and_can_be_cleared(visit: Visit):
    visit.go("/logs?log_text=nobody+wrote+this")
    visit.sees("No record matches this search")
    visit.page.get_by_role("button", name="Clear the search").click()
    visit.sees("invoice 1 made")
