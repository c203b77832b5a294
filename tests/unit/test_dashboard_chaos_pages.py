"""The pages of chaos against a real HTTP server: to a run and out of it, and what they do when there is nothing."""

import functools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from streamlit.components.v2 import manifest_scanner
from streamlit.components.v2.manifest_scanner import scan_component_manifests
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import dashboard
from api import models as m
from dashboard import stopping
from tests.unit.dashboard_answers import status
from tests.unit.dashboard_api import build_api, serving

APP = Path(dashboard.__file__).with_name("streamlit_app.py")


@pytest.fixture(autouse=True)
def fast_and_fresh() -> Iterator[None]:
    """Look for components once, and give each test answers and connections of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", functools.cache(scan_component_manifests))
        yield
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[FastAPI, str]]:
    app = build_api()
    with serving(app) as url:
        yield app, url


@pytest.fixture
def api(served) -> tuple[FastAPI, str]:
    """Return an API that was asked for nothing yet, and its address."""
    for kept in (served[0].state.asked, served[0].state.started, served[0].state.stopped):
        kept.clear()
    return served


def open_page(monkeypatch, url: str, path: str, **query: str) -> AppTest:
    monkeypatch.setattr(sys, "argv", [str(APP), "--api", url])
    at = AppTest.from_file(str(APP), default_timeout=20)
    at._page_hash = calc_hash(path)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def drawn(at: AppTest) -> str:
    panels = [json.loads(element.proto.json)["html"] for element in at.get("bidi_component")]
    texts = [element.value for kind in ("markdown", "info", "warning", "error") for element in at.get(kind)]
    return "\n".join([*panels, *texts])


def test_running_runs_are_on_top_and_stopped_with_one_press(api, monkeypatch):
    app, url = api
    at = open_page(monkeypatch, url, "chaos")
    html = drawn(at)
    assert html.index("payments loses 20 %") < html.index("Orders dies")
    at.button(key="stop cache-latency-2").click().run()
    ((run_id, asked),) = app.state.stopped
    assert (run_id, asked.by, asked.reason) == ("cache-latency-2", "", stopping.NO_REASON)
    assert "It is stopped by someone" in at.warning[0].value


def test_whoever_stops_a_run_may_say_who_and_why(api, monkeypatch):
    app, url = api
    at = open_page(monkeypatch, url, "run", id="cache-latency-2")
    at.text_input(key="stop author cache-latency-2").input("Ann")
    at.text_input(key="stop reason cache-latency-2").input("customers complain")
    at.button(key="stop cache-latency-2").click().run()
    assert [(asked.by, asked.reason) for _, asked in app.state.stopped] == [("Ann", "customers complain")]
    assert "Ann" in at.warning[0].value
    assert "customers complain" in at.warning[0].value


def test_a_finished_run_has_no_stop(api, monkeypatch):
    at = open_page(monkeypatch, api[1], "run", id="cache-latency-1")
    assert not [button for button in at.button if button.label == "STOP"]
    assert len(at.get("echarts_chart")) == 2  # one for each finding
    assert all(chart.proto.alt for chart in at.get("echarts_chart"))
    assert [item.value for item in at.subheader][:3] == ["Findings", "Can the verdict be trusted?", "Error budget"]


def test_a_live_run_counts_both_arms_by_share_and_seed(api, monkeypatch):
    app, url = api
    at = open_page(monkeypatch, url, "run", id="cache-latency-2")
    assert not at.exception
    asked = [query for path, query in app.state.asked if path == "/api/v1/sli"]
    assert {query["arm"] for query in asked} == {"control", "treatment"}
    assert {(query["share"], query["seed"]) for query in asked} == {("0.3", "abc")}
    html = drawn(at)
    assert "Now: fault" in html
    assert re.search(r"(3\.9|4\.0)\d %", html)  # 4 % of whole requests
    specs = [json.loads(chart.proto.spec) for chart in at.get("echarts_chart")]
    assert [series["name"] for series in specs[0]["series"]] == ["control", "treatment"]
    assert specs[0]["series"][0]["markArea"]["data"][0][0]["name"] == "fault"


def test_what_is_settled_is_counted_once(api, monkeypatch):
    app, url = api
    at = open_page(monkeypatch, url, "run", id="cache-latency-2")
    st.cache_resource.clear()
    at.run()
    asked = [(query["start"], query["arm"]) for path, query in app.state.asked if path == "/api/v1/sli"]
    oldest, newest = min(asked), max(asked)
    assert asked.count(oldest) == 1
    assert asked.count(newest) == 2


def test_a_press_starts_the_run_and_leads_to_it(api, monkeypatch):
    app, url = api
    at = open_page(monkeypatch, url, "experiment", name="orders-kill")
    assert "This injects latency on orders" in drawn(at)
    at.button(key="experiment-start").click().run()
    assert app.state.started == ["orders-kill"]
    assert at.query_params["id"] == "cache-latency-2"
    assert "Now: fault" in drawn(at)


def test_two_presses_start_one_run(api, monkeypatch):
    app, url = api
    at = open_page(monkeypatch, url, "experiment", name="orders-kill")
    monkeypatch.setattr(
        "streamlit.switch_page", lambda *_, **__: None
    )  # the second press comes before the page changes
    for _ in range(2):
        at.button(key="experiment-start").click().run()
    assert app.state.started == ["orders-kill"]


def test_a_refused_start_says_why_and_may_be_pressed_again(api, monkeypatch):
    app, url = api
    app.state.started.append("refuse")
    at = open_page(monkeypatch, url, "experiment", name="orders-kill")
    for _ in range(2):
        at.button(key="experiment-start").click().run()
        assert "another run breaks orders-cache" in at.error[0].value
    assert app.state.asked.count(("/api/v1/runs", {})) == 2


def test_a_check_that_fails_takes_the_button_away_and_says_why(api, monkeypatch):
    at = open_page(monkeypatch, api[1], "experiment", name="blocked")
    button = at.button(key="experiment-blocked")
    assert button.disabled
    assert "gateway\\-availability" in at.warning[0].value or "gateway-availability" in at.warning[0].value
    assert not [item for item in at.button if item.key == "experiment-start"]


def test_an_experiment_that_runs_is_not_started_again(api, monkeypatch):
    at = open_page(monkeypatch, api[1], "experiment", name="cache-latency")
    assert at.button(key="experiment-blocked").disabled
    assert "It is running already" in at.warning[0].value
    assert at.button(key="stop cache-latency-2")


def test_the_preflight_is_asked_for_once_and_then_by_hand(api, monkeypatch):
    app, url = api

    def asked() -> int:
        return len([path for path, _ in app.state.asked if path.endswith("/preflight")])

    at = open_page(monkeypatch, url, "experiment", name="orders-kill")
    at.run()
    assert asked() == 1
    next(button for button in at.button if button.label == "Check again").click().run()
    assert asked() == 2


def test_the_history_shows_every_run_of_the_experiment_and_its_effect(api, monkeypatch):
    at = open_page(monkeypatch, api[1], "experiment", name="cache-latency", experiment_view="History")
    assert not at.exception
    html = drawn(at)
    for age in (1, 2, 3):
        assert f"run?id=cache-latency-old-{age}" in html
    (chart,) = at.get("echarts_chart")
    assert "Effect of the fault in 4 runs, oldest first" in chart.proto.alt
    assert "It has not run yet" not in html


def test_an_experiment_without_a_file_shows_its_runs(api, monkeypatch):
    at = open_page(monkeypatch, api[1], "experiment", name="shop-stays-up")
    assert "It cannot be run from here" in at.info[0].value
    assert "run?id=imported-1" in drawn(at)


def test_an_unreadable_file_says_what_is_wrong(api, monkeypatch):
    at = open_page(monkeypatch, api[1], "experiment", name="broken")
    assert "line 3" in at.error[0].value
    assert "<img" not in at.error[0].value.replace("\\<", "")


def test_runs_are_chosen_by_experiment_and_verdict_and_the_choice_is_cleared(api, monkeypatch):
    at = open_page(monkeypatch, api[1], "chaos", chaos_verdict="Held")
    assert "run?id=cache-latency-old-1" in drawn(at)
    assert "run?id=imported-1" not in drawn(at)
    at.selectbox(key="chaos_experiment").set_value("shop-stays-up").run()
    assert "No run matches" in at.info[-1].value
    next(button for button in at.button if button.label == "Clear the choice").click().run()
    assert "run?id=imported-1" in drawn(at)


def test_before_the_first_run_the_page_names_the_commands(monkeypatch):
    with serving(build_api(empty=True)) as url:
        at = open_page(monkeypatch, url, "chaos")
    assert "ninelives chaos init SERVICE" in at.code[0].value
    assert "--dry-run" in at.code[0].value


def test_an_api_that_starts_no_runs_shows_them_and_says_why(monkeypatch):
    app = build_api()
    refusal = m.Problem(title="Conflict", status=409, detail="this process starts no runs; use ninelives up --faults")

    @app.middleware("http")
    async def refuse(request, call_next):
        if request.url.path == "/api/v1/experiments":
            return JSONResponse(refusal.model_dump(mode="json"), status_code=409)
        return await call_next(request)

    with serving(app) as url:
        at = open_page(monkeypatch, url, "chaos")
    assert not at.error
    assert "use ninelives up --faults" in at.info[0].value
    assert "run?id=imported-1" in drawn(at)


def test_a_run_that_is_unknown_was_not_just_started(api, monkeypatch):
    at = open_page(monkeypatch, api[1], "run", id="nobody")
    assert "nothing is called" in at.warning[0].value


@pytest.mark.parametrize("path", ["chaos", "run", "experiment"])
def test_hostile_titles_are_text(path, api, monkeypatch):
    query = {"run": {"id": "hostile"}, "experiment": {"name": "blocked"}}.get(path, {})
    at = open_page(monkeypatch, api[1], path, **query)
    assert not at.exception
    html = drawn(at)
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img" not in html.replace("\\<", "")
    assert "\u202e" not in html


def test_where_the_dashboard_may_only_read_it_shows_the_commands_instead_of_the_buttons(monkeypatch):
    app = build_api()

    @app.middleware("http")
    async def read_only(request, call_next):
        if request.url.path != "/api/v1/status":
            return await call_next(request)
        return JSONResponse(status(empty=False).model_copy(update={"may_operate": False}).model_dump(mode="json"))

    with serving(app) as url:
        live = open_page(monkeypatch, url, "run", id="cache-latency-2")
        page = open_page(monkeypatch, url, "experiment", name="orders-kill")
    for at, command in ((live, "ninelives chaos stop cache-latency-2"), (page, "ninelives chaos run experiments/")):
        assert not at.exception
        assert command in at.code[0].value
        assert not at.button
