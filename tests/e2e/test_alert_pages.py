"""The pages of alerts while the demo is broken: to the guilty span, taking on, silencing, noting."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pages import PATIENCE_MS, SETTLED, Visit, open_page
from playwright.sync_api import Browser, Locator, Page, expect
from stack import Stack, Webhook, wait_for

from api import models as m
from dashboard.views import alerts

BROKEN = "orders-availability"
OTHER = "gateway-availability"
PERSON = "whoever is on call"
PANEL = Path(__file__).parents[2] / "dashboard" / "components" / "panel" / "panel.js"
# draws HTML as the pages do, and keeps which of its links they were told of
DRAW = """async ([source, html]) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  document.body.innerHTML = '<div class="nl-root"></div>';
  window.told = [];
  const setTriggerValue = (_, value) => window.told.push(value);
  module.default({ data: { html, scroll_to: "" }, parentElement: document.body, setTriggerValue });
}"""
SPAN_ADDRESS = re.compile(r"/trace\?trace=[0-9a-f]{32}")


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack], webhook: Webhook) -> Iterator[Stack]:
    """Return the demo, broken, once it has told of it and the evidence is on record."""
    found = make_stack("--demo", "--webhooks", webhook.url)
    found.start()
    wait_for(lambda: found.command("demo", "break", "errors", "--for", "900s").returncode == 0, 60, "the demo to break")
    wait_for(lambda: all(webhook.of("firing", slo_id) for slo_id in (BROKEN, OTHER)), 180, "the pages to be sent")
    wait_for(lambda: alert_of(found, BROKEN).evidence and alert_of(found, OTHER).evidence, 60, "the evidence")
    yield found
    assert found.stop() == 0, found.log


@pytest.fixture(scope="module")
def visit(stack: Stack, browser: Browser) -> Iterator[Visit]:
    with open_page(browser, stack.url("dashboard")) as found:
        yield found
    assert found.foreign_requests == []
    assert found.unexpected_errors == []


def alert_of(stack: Stack, slo_id: str) -> m.AlertRecord:
    """Return the page that fires about an objective."""
    with stack.api() as api:
        (found,) = api.alerts(slo_id=slo_id, severity="page", state="firing")
        return api.alert(found.id)


def path_of(stack: Stack, slo_id: str) -> str:
    return f"/alert?id={alert_of(stack, slo_id).id}"


def section(page: Page, key: str) -> Locator:
    """Return a part of the page by the key that the page gave it."""
    return page.locator(f".st-key-{key}")


def fill(page: Page, **texts: str) -> None:
    """Write *texts* into the fields of these keys."""
    for key, text in texts.items():
        section(page, key.replace("_", "-")).locator("input, textarea").fill(text)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.locator(SETTLED).wait_for(timeout=PATIENCE_MS)


def sees(part: Locator, text: str | re.Pattern[str]) -> None:
    expect(part).to_contain_text(text, timeout=PATIENCE_MS)


def test_from_the_message_the_guilty_span_is_two_clicks_away(stack: Stack, visit: Visit, webhook: Webhook):
    told = webhook.of("firing", BROKEN)[0]["annotations"]
    evidence = alert_of(stack, BROKEN).evidence
    assert evidence is not None
    worst = evidence.traces[0]
    visit.page.goto(told["alert_url"])
    sees(section(visit.page, "alert-summary"), "of requests to orders in demo failed")
    section(visit.page, "alert-traces").get_by_role("link").first.click()
    expect(visit.page).to_have_url(
        re.compile(f"/trace\\?trace={worst.trace_id}&span={worst.guilty_span_id}"), timeout=PATIENCE_MS
    )
    guilty = visit.page.locator(f".nl-waterfall #span-{worst.guilty_span_id}.nl-chosen")
    sees(guilty, worst.guilty_operation)
    expect(guilty).to_be_in_viewport()
    expect(guilty.get_by_title("error")).to_be_visible()


def test_from_the_list_the_failed_span_is_one_click_away(visit: Visit):
    visit.go("/alerts")
    row = section(visit.page, "alerts-table").locator("tbody tr").filter(has_text="to orders in demo failed")
    row.get_by_role("link", name="Worst trace").click()
    expect(visit.page).to_have_url(SPAN_ADDRESS, timeout=PATIENCE_MS)
    chosen = visit.page.locator(".nl-waterfall .nl-chosen")
    expect(chosen.get_by_title("error")).to_be_visible(timeout=PATIENCE_MS)
    expect(chosen).to_be_in_viewport()


def test_taking_an_alert_on_needs_a_name_and_is_seen_at_once(stack: Stack, visit: Visit):
    alert = alert_of(stack, BROKEN)
    visit.go(f"/alert?id={alert.id}")
    press(visit.page, "Acknowledge")
    fill(visit.page, acknowledge_comment="looking at the pool of connections")
    press(visit.page, "I have it")
    refused = visit.page.get_by_role("alert").filter(has_text="author")
    expect(refused).to_be_visible(timeout=PATIENCE_MS)
    visit.page.wait_for_timeout(6000)
    expect(refused).to_be_visible()  # the page was drawn again meanwhile
    with stack.api() as api:
        assert api.alert(alert.id).acknowledgements == []
    fill(visit.page, acknowledge_author=PERSON)
    press(visit.page, "I have it")
    sees(section(visit.page, "alert-headline"), PERSON)
    expect(visit.page.get_by_role("button", name="I have it")).to_be_hidden()
    taken = section(visit.page, "alert-timeline").locator("tr").filter(has_text="Taken on")
    sees(taken, PERSON)
    sees(taken, "looking at the pool of connections")
    with stack.api() as api:
        (found,) = api.alert(alert.id).acknowledgements
    assert (found.author, found.comment, found.via) == (PERSON, "looking at the pool of connections", "page")


def test_an_alert_is_silent_until_it_is_resolved_or_somebody_ends_that(stack: Stack, visit: Visit, pictures: Path):
    alert = alert_of(stack, OTHER)
    visit.go(f"/alert?id={alert.id}")
    press(visit.page, "Silence")
    visit.page.get_by_role("combobox", name="For").click()
    visit.page.get_by_role("option", name=re.compile("until it is resolved")).click()
    fill(visit.page, silence_author=PERSON, silence_comment="the caller of what is broken")
    press(visit.page, "Silence it")
    sees(section(visit.page, "alert-headline"), "silenced")
    sees(section(visit.page, "alert-timeline").locator("tr").filter(has_text="◼"), "the caller of what is broken")
    with stack.api() as api:
        (silence,) = api.silences()
    assert (silence.until_resolved, silence.alert_ids) == (True, [alert.id])
    visit.go("/alerts?state=Silenced")
    rows = section(visit.page, "alerts-table").locator("tbody tr")
    expect(rows).to_have_count(1, timeout=PATIENCE_MS)
    sees(rows, "to gateway in demo failed")
    visit.go("/alerts")
    sees(section(visit.page, "alerts-table"), "silenced")
    visit.picture(pictures / "alerts.png")
    section(visit.page, "alerts-silences").get_by_role("button", name="End it").click()
    visit.sees("None is in force")
    expect(section(visit.page, "alerts-table").locator(".nl-flag", has_text="silenced")).to_have_count(0)
    assert not alert_of(stack, OTHER).silenced_by


def test_a_mistake_in_a_matcher_is_told_beside_it_and_the_mended_one_is_in_force(stack: Stack, visit: Visit):
    visit.go("/alerts")
    visit.page.get_by_text("Silence alerts by their labels").click()
    fill(visit.page, silence_labels='service_name~"orders"', silence_by=PERSON, silence_why="trying out")
    press(visit.page, "Silence")
    refused = visit.page.get_by_role("alert")
    sees(refused, 'service_name~"orders"')
    sees(refused, 'write name="value"')
    fill(visit.page, silence_labels='service_name="orders", severity=~"page|ticket"')
    press(visit.page, "Silence")
    sees(section(visit.page, "alerts-silences"), "trying out")
    expect(refused).to_have_count(0)
    with stack.api() as api:
        (silence,) = api.silences()
    assert silence.matchers == ['service_name="orders"', 'severity=~"page|ticket"']
    assert alert_of(stack, BROKEN).id in silence.alert_ids
    section(visit.page, "alerts-silences").get_by_role("button", name="End it").click()
    visit.sees("None is in force")


def test_a_note_on_the_incident_is_in_its_post_mortem(stack: Stack, visit: Visit):
    visit.go(path_of(stack, BROKEN))
    note = "The pool was made larger & the waiting <b>went</b> down."
    press(visit.page, "Add")
    visit.sees("author is empty")
    fill(visit.page, note_text=note, note_author=PERSON)
    press(visit.page, "Add")
    sees(section(visit.page, "alert-notes"), note)
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Post-mortem (Markdown)").click()
    assert download.value.suggested_filename.endswith(".md")
    text = Path(download.value.path()).read_text()
    assert text.startswith("# ")
    assert "The pool was made larger" in text
    assert PERSON in text


def test_the_frozen_page_opens_beside_the_dashboard(stack: Stack, visit: Visit, pictures: Path):
    alert = alert_of(stack, BROKEN)
    visit.go(f"/alert?id={alert.id}")
    visit.picture(pictures / "alert.png")
    with visit.page.context.expect_page() as opened:
        visit.page.get_by_role("link", name="Evidence on one page").click()
    frozen = opened.value
    assert frozen.url == f"{stack.url('api')}/api/v1/alerts/{alert.id}/evidence"
    sees(frozen.locator("body"), "of requests to orders in demo failed")
    expect(frozen.locator("svg").first).to_be_visible()
    assert frozen.locator("script").count() == 0
    frozen.close()


def test_the_choice_of_states_stays_in_the_address(visit: Visit):
    visit.go("/alerts?state=Firing")
    sees(section(visit.page, "alerts-table"), "to orders in demo failed")
    expect(visit.page.get_by_role("radio", name="Firing")).to_be_checked()
    visit.page.get_by_role("radio", name="Resolved").click()
    expect(visit.page).to_have_url(re.compile("state=Resolved"), timeout=PATIENCE_MS)
    expect(section(visit.page, "alerts-table").get_by_text("to orders in demo failed")).to_have_count(0)


@pytest.mark.parametrize("name", ["alerts", "alert"])
def test_a_phone_scrolls_down_only_and_reaches_every_button(name: str, stack: Stack, visit: Visit, browser: Browser):
    with open_page(browser, visit.base, width=390, height=844) as phone:
        phone.go("/alerts" if name == "alerts" else path_of(stack, OTHER))
        phone.sees("to gateway in demo failed")
        if name == "alert":
            expect(phone.page.get_by_role("button", name="Acknowledge")).to_be_in_viewport(ratio=1)
            press(phone.page, "Acknowledge")
            expect(phone.page.get_by_role("button", name="I have it")).to_be_in_viewport(ratio=1)
        else:
            phone.page.get_by_text("Silence alerts by their labels").click()
        phone.page.wait_for_timeout(500)
        assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
        wide = "[...document.querySelectorAll('.nl-root')].every(part => part.scrollWidth <= part.clientWidth)"
        assert phone.page.evaluate(wide)
        outside = "[...document.querySelectorAll('[data-testid=stMain] button')].filter(each => each.checkVisibility()"
        outside += " && each.getBoundingClientRect().right > 390).map(each => each.textContent)"
        assert phone.page.evaluate(outside) == []
    assert phone.foreign_requests == []
    assert phone.unexpected_errors == []


def test_a_runbook_is_opened_by_the_browser_and_pages_of_ours_by_the_dashboard(browser: Browser):
    with open_page(browser, "about:blank") as visit:
        visit.page.context.route("https://runbooks.example/**", lambda route: route.fulfill(body="Restart the pool"))
        html = alerts.runbook("https://runbooks.example/pool") + alerts.link(alerts.href("a-1"), "Alert")
        visit.page.evaluate(DRAW, [PANEL.read_text(), html])
        with visit.page.context.expect_page() as opened:
            visit.page.get_by_role("link", name="Open the runbook").click()
        sees(opened.value.locator("body"), "Restart the pool")
        assert visit.page.evaluate("told") == []
        visit.page.get_by_role("link", name="Alert").click()
        assert visit.page.evaluate("told") == ["alert?id=a-1"]
