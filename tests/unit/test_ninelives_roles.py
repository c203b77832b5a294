"""The roles apart: what keeps them from starting is one line. What they do is tested end to end."""

import asyncio

import httpx
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, Gauge

from ninelives.access import issue
from ninelives.cli import main
from ninelives.probes import build_probes
from storage.tokens import Tokens, write_tokens


@pytest.mark.parametrize("url", ["", "chdb:///somewhere/clickhouse"])
@pytest.mark.parametrize("role", ["collector", "evaluator", "api"])
def test_the_embedded_engine_is_for_up_alone(role, url, tmp_path):
    refused = CliRunner().invoke(main, [role, "--clickhouse", url, "--data", str(tmp_path / "data")])
    assert (refused.exit_code, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert "run 'ninelives up'" in line
    assert "NINELIVES_CLICKHOUSE=http://" in line
    assert not (tmp_path / "data").exists(), "nothing was begun"


def get(app, *requests):
    """Return the answers to (path, headers)."""

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://probes") as client:
            return [await client.get(path, headers=headers) for path, headers in requests]

    return asyncio.run(ask())


def test_probes_tell_alive_from_ready_and_why_not():
    reasons = ["", "the spool is full: traces"]
    app = build_probes(CollectorRegistry(), lambda: reasons.pop(0), None)
    ready, not_ready, alive = get(app, ("/readyz", {}), ("/readyz", {}), ("/healthz", {}))
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert (not_ready.status_code, not_ready.json()["reason"]) == (503, "the spool is full: traces")
    assert alive.status_code == 200


def test_metrics_take_a_token_that_may_read_where_tokens_are_asked_for(tmp_path):
    reader, sender = issue("people", "read"), issue("services", "ingest")
    write_tokens(tmp_path / "tokens.yaml", [reader.token, sender.token])
    registry = CollectorRegistry()
    Gauge("ninelives_probe", "A number.", registry=registry).set(7)
    app = build_probes(registry, lambda: "", Tokens(tmp_path / "tokens.yaml"))
    headers = [{"Authorization": f"Bearer {issued.secret}"} for issued in (sender, reader)]
    nobody, forbidden, shown, ready = get(
        app, ("/metrics", {}), *(("/metrics", one) for one in headers), ("/readyz", {})
    )
    assert [nobody.status_code, forbidden.status_code, shown.status_code] == [401, 403, 200]
    assert "ninelives_probe 7.0" in shown.text
    assert ready.status_code == 200
