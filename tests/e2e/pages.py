"""Visiting the dashboard as a person does, and noticing what a person would not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, expect

SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
KNOWN_404S = ("/_stcore/health", "/_stcore/host-config")  # Streamlit asks below the page's own path first
PATIENCE_MS = 30_000


@dataclass
class Visit:
    """One browser page. `foreign_requests` and `unexpected_errors` grow as it is used."""

    page: Page
    base: str
    foreign_requests: list[str] = field(default_factory=list)
    unexpected_errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._note_request)
        self.page.on(
            "console", lambda m: self._note_error(m.text, m.location.get("url", "")) if m.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self._note_error(str(error), ""))

    def go(self, path: str) -> None:
        """Open *path* as a copied link and wait until the page is drawn."""
        self.page.goto(self.base + path)
        self.page.locator(SETTLED).wait_for(timeout=PATIENCE_MS)

    def sees(self, text: str) -> None:
        expect(self.page.locator("body")).to_contain_text(text, timeout=PATIENCE_MS)

    def picture(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.mouse.move(0, 0)  # nothing is drawn as pointed at
        self.page.wait_for_timeout(1500)  # charts draw after their text
        self.page.locator(SETTLED).wait_for(timeout=PATIENCE_MS)
        self.page.screenshot(path=path)

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in {"127.0.0.1", "localhost"}:
            self.foreign_requests.append(request.url)

    def _note_error(self, text: str, url: str) -> None:
        if not ("404" in text and urlsplit(url).path.endswith(KNOWN_404S)):
            self.unexpected_errors.append(f"{text} {url}")


@contextmanager
def open_page(browser: Browser, base: str, *, width: int = 1400, height: int = 900) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        yield Visit(context.new_page(), base)
    finally:
        context.close()
