"""Fixtures: stacks that are stopped at the end, and a receiver of alerts."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, sync_playwright
from stack import Stack, Webhook

collect_ignore = ["bookshop"]  # services of a test, which run in a folder of their own

QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", type=Path, help="Keep the pages' pictures in this folder.")


@pytest.fixture(scope="session")
def pictures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that pictures of pages go to."""
    chosen: Path | None = request.config.getoption("--pictures", default=None)
    return chosen or tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium, without its own background traffic."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET_CHROMIUM)
        yield chromium
        chromium.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is end to end."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="module")
def make_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Return a maker of stacks; whatever still runs at the end is stopped."""
    made: list[Stack] = []

    def make(*flags: str) -> Stack:
        stack = Stack(tmp_path_factory.mktemp("stack"), list(flags))
        made.append(stack)
        return stack

    yield make
    for stack in made:
        if stack.process is not None and stack.process.poll() is None:
            stack.stop()


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    found = Webhook("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        yield found
        server.shutdown()
        thread.join()
