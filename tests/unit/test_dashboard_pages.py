"""Every page against a real HTTP server that answers with the API's own models: with data, before data, and down."""

import functools
import json
import re
import socket
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from fastapi import FastAPI
from streamlit.components.v2 import manifest_scanner
from streamlit.components.v2.manifest_scanner import scan_component_manifests
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import dashboard
from dashboard.navigation import ENTRIES
from tests.unit.dashboard_answers import ATTACK, GUILTY, TRACE_ID
from tests.unit.dashboard_api import build_api, serving

APP = Path(dashboard.__file__).with_name("streamlit_app.py")

# what a page about one entity is asked for
QUERIES = {
    "service": {"name": "checkout", "environment": "prod"},
    "trace": {"trace": TRACE_ID},
    "slo": {"id": "checkout-availability"},
    "alert": {"id": "a-1"},
    "run": {"id": "r-41"},
    "experiment": {"name": "cache-latency"},
}


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    with serving(build_api()) as url:
        yield url


@pytest.fixture(scope="module")
def first_run() -> Iterator[str]:
    with serving(build_api(empty=True)) as url:
        yield url


@pytest.fixture(scope="module")
def down() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module", autouse=True)
def known_components() -> Iterator[None]:
    """Look through all installed packages for components once, and not for every page: it costs more than a page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", functools.cache(scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def closed_clients() -> Iterator[None]:
    """Give each test answers and connections of its own."""
    yield
    st.cache_resource.clear()


def open_page(monkeypatch: pytest.MonkeyPatch, api: str, path: str, **query: str) -> AppTest:
    monkeypatch.setattr(sys, "argv", [str(APP), "--api", api])
    at = AppTest.from_file(str(APP), default_timeout=20)
    at._page_hash = calc_hash(path) if path else ""  # as from the address: switch_page would draw the overview first
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def drawn(at: AppTest) -> str:
    """Return the HTML of all panels and the text of the plain elements."""
    panels = [json.loads(element.proto.json)["html"] for element in at.get("bidi_component")]
    texts = [element.value for kind in ("markdown", "info", "warning", "error", "title") for element in at.get(kind)]
    return "\n".join([*panels, *texts])


PATHS = [entry.path for entry in ENTRIES]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_shows_its_data_without_an_error(path, filled, monkeypatch):
    at = open_page(monkeypatch, filled, path, **QUERIES.get(path, {}))
    assert not at.exception
    assert not at.error
    assert at.title
    assert at.get("bidi_component")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_before_the_first_span_says_what_to_do_next(path, first_run, monkeypatch):
    at = open_page(monkeypatch, first_run, path)
    assert not at.exception
    assert not at.error
    assert at.info, "no next step is shown"


@pytest.mark.parametrize("path", PATHS)
def test_a_page_without_its_api_shows_one_clear_error_and_retry(path, down, monkeypatch):
    at = open_page(monkeypatch, down, path, **QUERIES.get(path, {}))
    assert not at.exception
    assert len(at.error) == 1
    assert "The API cannot be read since" in at.error[0].value
    assert [button.label for button in at.button] == ["Retry"]


def test_the_overview_names_the_worst_first_and_links_to_its_trace(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, ""))
    assert (
        html.index("checkout availability burns") < html.index("payments · availability") < html.index("checkout · p95")
    )
    assert f"trace?trace={TRACE_ID}" in html
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in html


@pytest.mark.parametrize("path", ["", "slos"])
def test_a_broken_slo_file_is_named_with_its_line_and_reason(path, filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, path))
    assert "slos/broken.yaml, line 7" in html
    assert "target must be below 1" in html
    assert "<img" not in html


def test_the_first_run_guide_names_the_address_that_the_server_listens_on(first_run, monkeypatch):
    at = open_page(monkeypatch, first_run, "")
    code = "\n".join(block.value for block in at.code)
    assert "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:14318" in code
    assert "Waiting for the first span" in at.info[0].value
    assert "host.docker.internal:14318" in code
    assert "--network host" in code


def test_a_span_named_like_an_attack_is_text(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, "trace", trace=TRACE_ID))
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img" not in html


def test_the_first_failed_span_is_open_when_no_span_is_named(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, "trace", trace=TRACE_ID))
    assert "card declined" in html
    assert "CardDeclined" in html


def test_a_span_in_the_address_is_opened_instead_of_the_first_error(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, "trace", trace=TRACE_ID, span="a000000000000001"))
    assert "card declined" not in html
    assert "node-1" in html


def test_an_unknown_entity_is_said_to_be_missing_not_broken(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "trace", trace="ffffffffffffffffffffffffffffffff")
    assert not at.error
    assert not at.exception
    assert "nothing is called" in at.warning[0].value


@pytest.mark.parametrize("path", ["service", "trace", "slo", "alert", "run", "experiment"])
def test_an_entity_page_without_an_id_leads_to_the_list(path, filled, monkeypatch):
    at = open_page(monkeypatch, filled, path)
    assert not at.error
    assert at.page_link


def test_the_search_in_the_address_is_the_search_that_is_asked(monkeypatch):
    app = build_api()
    with serving(app) as url:
        monkeypatch.setattr(sys, "argv", [str(APP), "--api", url])
        at = AppTest.from_file(str(APP), default_timeout=20)
        at.run()
        for name, value in {"service": "payments", "errors": "true", "min_ms": "250", "operation": "charge"}.items():
            at.query_params[name] = value
        at.switch_page("pages_/traces_page.py").run()
    assert not at.exception
    asked = [query for path, query in app.state.asked if path == "/api/v1/traces"][-1]
    assert asked["service"] == "payments"
    assert asked["operation"] == "charge"
    assert asked["errors_only"] == "true"
    assert float(asked["min_duration_ms"]) == 250


def test_the_service_page_asks_for_the_environment_in_the_address(monkeypatch):
    app = build_api()
    with serving(app) as url:
        open_page(monkeypatch, url, "service", name="checkout", environment="prod")
    assert [query["environment"] for path, query in app.state.asked if path == "/api/v1/services/checkout"] == ["prod"]


def test_the_service_page_compares_with_what_is_chosen_and_lists_what_surely_changed(monkeypatch):
    app = build_api()
    with serving(app) as url:
        at = open_page(monkeypatch, url, "service", name="checkout", environment="prod")
        assert "What got slower or fails more" in [item.value for item in at.subheader]
        assert any("version 1.5 against version 1.4" in item.value for item in at.text)
        at.segmented_control(key="service_against").set_value("week").run()
    assert not at.exception
    asked = [query for path, query in app.state.asked if path == "/api/v1/services/checkout/regressions"]
    assert [query["against"] for query in asked] == ["version", "week"]
    assert asked[0]["environment"] == "prod"


def test_an_answer_is_read_once_in_a_few_seconds_however_many_pages_show_it(monkeypatch):
    app = build_api()
    with serving(app) as url:
        for path in ("", "slos", "slos"):
            open_page(monkeypatch, url, path)
    assert [path for path, _ in app.state.asked].count("/api/v1/slos") == 1


def test_a_page_recovers_with_retry_when_the_api_is_back(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    at = open_page(monkeypatch, f"http://127.0.0.1:{port}", "slos")
    assert at.error
    with serving(build_api(), port):
        at.button[0].click().run()
        assert not at.error
        assert "payments · availability" in drawn(at)


def test_an_api_of_another_version_is_an_error_that_says_so(monkeypatch):
    app = FastAPI()

    @app.get("/api/v1/status")
    def get_status():
        return {"version": "9"}

    with serving(app) as url:
        at = open_page(monkeypatch, url, "")
    assert not at.exception
    assert "same version" in at.error[0].value


def test_the_budget_chart_draws_the_chaos_run_as_a_band_and_the_alert_as_a_marker(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slo", id="checkout-availability")
    specs = [json.loads(chart.proto.spec) for chart in at.get("echarts_chart")]
    first = specs[0]["series"][0]
    assert "redis +300 ms" in [entry[0]["name"] for entry in first["markArea"]["data"]]
    assert [entry["name"] for entry in first["markLine"]["data"]] == ["Alert (page)", "25 %: at risk"]
    assert all(spec["animation"] is False for spec in specs)
    assert all(chart.proto.alt for chart in at.get("echarts_chart"))


def test_a_draft_shows_the_command_that_adopts_it(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slo", id="inventory-availability")
    assert at.code[0].value == "ninelives slo adopt inventory-availability"


def test_the_adopt_button_shows_where_the_draft_was_written(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slo", id="inventory-availability")
    at.button(key="slo-adopt").click().run()
    assert "slos/inventory-availability.yaml" in at.success[0].value
    assert "kind: SLO" in [block.value for block in at.code]


def test_an_slo_says_who_spent_its_budget_and_leads_to_the_guilty_span(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, "slo", id="checkout-availability"))
    assert html.index("81.0 %") < html.index("all others")
    assert f"trace?trace={TRACE_ID}&amp;span={GUILTY}" in html
    assert "service.version" in html
    assert "+73.0 to +79.0 points" in html
    assert ATTACK not in html


def test_a_past_that_is_still_being_counted_says_how_far(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slo", id="checkout-availability")
    assert "The past is being counted from raw spans: 50 %" in at.info[0].value


def test_a_backtest_shows_the_alerts_that_another_target_would_have_sent(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slo", id="checkout-availability")
    at.number_input[0].set_value(99.5)
    next(button for button in at.button if button.label == "Backtest").click().run()
    html = drawn(at)
    for words in ("99.5 %", "1.0 (1 in all)", "21.0x", "checkout down", "Incident without an alert", "slow mail"):
        assert words in html
    assert ATTACK not in html


def test_the_list_of_slos_is_filtered_by_text_service_and_state(filled, monkeypatch):
    def shown(at):
        return sorted(set(re.findall(r"slo\?id=([\w-]+)", drawn(at))))

    at = open_page(monkeypatch, filled, "slos")
    assert len(shown(at)) == 6
    at.selectbox(key="slo_service").set_value("checkout").run()
    assert shown(at) == ["checkout-availability", "checkout-p95"]
    at.selectbox(key="slo_state").set_value("At risk").run()
    assert shown(at) == ["checkout-p95"]
    at.text_input(key="slo_text").set_value("nobody").run()
    assert not shown(at)
    assert "No SLO matches" in at.info[0].value
    next(button for button in at.button if button.label == "Clear the search").click().run()
    assert len(shown(at)) == 6


def test_live_off_stops_the_refresh_and_stays_off_on_the_next_page(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slos")
    assert at.get("bidi_component")
    at.toggle(key="live").set_value(False).run()
    assert at.switch_page("pages_/alerts_page.py").run().toggle(key="live").value is False


def test_a_name_in_the_address_cannot_load_an_image(filled, monkeypatch):
    """Headings are Markdown, and an image in one would call an address of the attacker's choice."""
    at = open_page(monkeypatch, filled, "service", name="![x](http://attacker.example/x.png)")
    assert at.title[0].value == r"\!\[x\]\(http\://attacker.example/x.png\)"
    assert all("![" not in message.value for message in at.warning)


@pytest.mark.parametrize("path", ["ingest", "metrics", "logs"])
def test_what_was_sent_never_becomes_markup_on_the_pages_of_signals(path, filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, path))
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img" not in html


def test_the_choices_in_the_address_are_what_is_asked_of_a_metric(monkeypatch):
    app = build_api()
    with serving(app) as url:
        address = {"metric_service": "checkout", "show_histogram": "p50", "metric_group": "route", "metric_range": "6h"}
        at = open_page(monkeypatch, url, "metrics", **address)
    assert not at.exception
    asked = [query for path, query in app.state.asked if path == "/api/v1/metrics/pay.duration"][-1]
    assert (asked["service"], asked["group_by"], asked["window_s"]) == ("checkout", "route", "21600")
    assert at.selectbox(key="show_histogram").value == "p50"


def test_the_search_of_logs_in_the_address_is_the_search_that_is_asked(monkeypatch):
    app = build_api()
    with serving(app) as url:
        open_page(monkeypatch, url, "logs", log_text="declined", log_severity="Warn and above", log_cursor="9.1")
    asked = [query for path, query in app.state.asked if path == "/api/v1/logs"][-1]
    assert (asked["text"], asked["min_severity"], asked["cursor"]) == ("declined", "13", "9.1")


def test_older_records_are_a_click_away_and_the_newest_too(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "logs")
    at.button(key="logs-older").click().run()
    assert at.query_params["log_cursor"] == "7.1"
    at.button(key="logs-newest").click().run()
    assert "log_cursor" not in at.query_params


def test_dead_letters_and_alarms_say_what_to_do(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "ingest")
    assert "To do: replay" in drawn(at)
    assert at.code[0].value == "ninelives collector replay"


def test_an_alert_is_taken_on_from_its_page_by_name(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "alert", id="a-1")
    at.text_input(key="acknowledge-author").input("Ann")
    at.text_input(key="acknowledge-comment").input("looking")
    next(button for button in at.button if button.label == "I have it").click()
    at.run()
    assert [message.value for message in at.toast] == ["Ann has it."]


def test_what_was_refused_stays_on_the_page_until_it_is_mended_or_grows_old(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "alert", id="a-1")
    next(button for button in at.button if button.label == "I have it").click()
    for _ in range(2):
        at.run()
        assert "author is empty; write who has it" in at.error[0].value
    with monkeypatch.context() as patched:
        patched.setattr("dashboard.outcomes.REFUSED_FOR", timedelta(0))
        assert not at.run().error
    at.text_input(key="acknowledge-author").input("Ann")
    next(button for button in at.button if button.label == "I have it").click()
    assert not at.run().error
    assert [message.value for message in at.toast] == ["Ann has it."]


def test_an_alert_is_silenced_from_its_page(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "alert", id="a-1")
    at.text_input(key="silence-author").input("Ann")
    at.text_input(key="silence-comment").input("known")
    next(button for button in at.button if button.label == "Silence it").click()
    at.run()
    assert "Silenced until" in at.toast[0].value


def test_a_note_is_added_to_the_incident_of_an_alert(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "alert", id="a-1")
    assert "rolled 1.8.2 back" in drawn(at)
    at.text_area[0].input("pool doubled")
    at.text_input(key="note-author").input("Ann")
    next(button for button in at.button if button.label == "Add").click()
    at.run()
    assert [message.value for message in at.toast] == ["Noted."]


def test_the_alerts_page_shows_lanes_silences_and_incidents(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, "alerts"))
    for part in ("nl-lane-bar", "moving racks", "checkout availability burns its budget", "MTTR"):
        assert part in html


def test_where_the_dashboard_may_only_read_the_alert_page_shows_commands_instead_of_buttons(monkeypatch):
    app = build_api()
    app.state.may_operate = False
    with serving(app) as url:
        at = open_page(monkeypatch, url, "alert", id="a-1")
        assert not {"I have it", "Silence it", "Add"} & {button.label for button in at.button}
        assert not at.text_input
        ack, silence, note = at.code[0].value.splitlines()
        assert ack.startswith("ninelives alerts ack a-1 ")
        assert silence.startswith("ninelives alerts silence add ")
        assert note.startswith("ninelives incidents note a-1 ")
        assert "scope `operate`" in at.caption[0].value
        at = open_page(monkeypatch, url, "alerts")
        assert [button.label for button in at.button if "ilence" in button.label] == []
        assert "ninelives alerts silence expire ID" in at.code[0].value
        html = drawn(at)
        assert "s-1" in html
        assert "End it" not in html


def test_the_evidence_opens_at_the_address_that_the_api_gives(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "alert", id="a-1")
    (button,) = at.get("link_button")
    assert button.proto.url == "https://nl.example/a-1/evidence?token=t"
