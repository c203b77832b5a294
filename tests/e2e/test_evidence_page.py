"""The frozen page of an alert in a real browser, on a telephone, made from the demo shop's last bad minutes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from prometheus_client import CollectorRegistry

from alerts.burn_rate import signals_of
from alerts.decide import decide
from alerts.evidence_page import LARGEST, evidence_page
from alerts.message import Links
from alerts.signing import LinkSigner
from api.context import Context
from demo.history import batches
from demo.history_plan import Window, incidents
from demo.ports import Ports
from evaluator.alert_store import AlertStore
from evaluator.evidence import EvidenceGatherer
from evaluator.minutes import MinuteCounter
from storage.acknowledgements import acknowledgements
from storage.alert_evidence import save_evidence
from storage.slo_catalog import SloCatalog
from storage.standing import standings
from tests.integration.api_served import served

DEMO_SLOS = Path(__file__).parents[2] / "demo" / "slos"
BROKEN = "gateway-availability"
SIGNER = LinkSigner(b"s" * 32)


@dataclass
class Opened:
    """The page of an alert at its link, what was requested on the way, and how large the page was."""

    page: Page
    alert_id: str
    requests: list[str]
    size: int


@pytest.fixture
def alert_id(database, store) -> str:
    """Return an alert of the demo's gateway, with the evidence that was gathered when it fired."""
    end_s = time.time() // 60 * 60
    past = Window(end_s - 86_400.0, end_s)
    for batch in batches(past, "demo", Ports(8090)):
        store(database, batch.body)
    catalog = SloCatalog([DEMO_SLOS])
    slos = list(catalog.load(database, datetime.now(UTC)).slos.values())
    counter = MinuteCounter(database, raw_retention=timedelta(days=14))
    counter.update(slos, datetime.now(UTC))
    counter.backfiller.work(timedelta(minutes=1))
    for alert in fired(database, slos, past):
        AlertStore(database, "one").append([alert[0]], datetime.now(UTC))
        return gathered(database, *alert)
    pytest.fail(f"no minute of the incidents fired {BROKEN}")


def fired(database, slos, past: Window) -> Iterator[tuple]:
    """Yield the changes that the minutes of the shop's incidents cause, with the standing that caused each."""
    (broken,) = (slo for slo in slos if slo.id == BROKEN)
    for _, window in incidents(past):
        began = datetime.fromtimestamp(window.start_s, UTC)
        for minute in range(10):
            now = began + timedelta(minutes=minute)
            (standing,) = standings(database, [broken], now)
            for signal in signals_of(broken, standing.evaluation):
                change = decide(None, signal, now)
                if change is not None:
                    yield change, standing, now


def gathered(database, alert, standing, now: datetime) -> str:
    gatherer = EvidenceGatherer(database, seconds=60)
    found = gatherer.gather(alert, standing.slo, standing.evaluation, standing.as_of, now=now)
    assert found.missing == ()
    page = evidence_page(alert, found, Links("http://127.0.0.1:8501", "http://127.0.0.1:8080"))
    save_evidence(database, alert.alert_id, found.to_json(), page, at=now)
    return str(alert.alert_id)


@pytest.fixture(params=["light", "dark"])
def opened(request, database, browser: Browser, alert_id: str) -> Iterator[Opened]:
    context = Context(database, SloCatalog([DEMO_SLOS]), CollectorRegistry(), "1.2.3", {}, links=SIGNER)
    with served(context) as api:
        telephone = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=request.param)
        page = telephone.new_page()
        requests: list[str] = []
        page.on("request", lambda each: requests.append(each.url))
        token = SIGNER.sign("evidence", alert_id, datetime.now(UTC) + timedelta(hours=1))
        answer = page.goto(f"{api.base_url}/api/v1/alerts/{alert_id}/evidence?token={token}")
        assert answer is not None
        yield Opened(page, alert_id, requests, len(answer.body()))
        telephone.close()


def test_the_page_fits_a_telephone_asks_for_nothing_else_and_is_acknowledged_in_two_touches(
    opened: Opened, database, pictures: Path
):
    page = opened.page
    assert opened.size <= LARGEST
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    wide = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 391).length"
    assert page.evaluate(wide) == 0
    assert [urlsplit(url).path for url in opened.requests] == [f"/api/v1/alerts/{opened.alert_id}/evidence"]
    first_screen = page.locator(".do .main").bounding_box()
    assert first_screen is not None
    assert first_screen["y"] < 844, "what to do is seen without scrolling"
    pictures.mkdir(parents=True, exist_ok=True)
    if page.evaluate("matchMedia('(prefers-color-scheme: light)').matches"):
        page.screenshot(path=pictures / "evidence-390.png", full_page=True)
    page.get_by_role("link", name="Acknowledge").click()
    assert acknowledgements(database) == []
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_role("heading", name="Acknowledged").wait_for()
    (row,) = acknowledgements(database)
    assert (row.alert_id, row.via) == (opened.alert_id, "link")
