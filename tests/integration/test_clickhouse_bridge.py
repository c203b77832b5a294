"""The bridge is only worth as much as it resembles a server: what ClickHouse documents of its HTTP interface holds."""

import gzip
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import lz4.frame
import pytest
from backports import zstd

import storage.client
from storage.client import Database
from storage.errors import DatabaseError
from tests.bridge.bridge import ROOT, Bridge

pytestmark = pytest.mark.slow

ROWS = bytes(range(256)) * 4  # RowBinary of UInt8: every byte, also those that end lines and statements


@pytest.fixture
def http(bridge):
    with httpx.Client(base_url=bridge.address, auth=("test", "p@ss/word")) as client:
        yield client


@pytest.fixture
def table(http):
    sql = "CREATE OR REPLACE TABLE bytes (n UInt8) ENGINE = MergeTree ORDER BY n SETTINGS {}"
    http.post("/", content=sql.format("non_replicated_deduplication_window = 100")).raise_for_status()
    yield "bytes"
    http.post("/", content="DROP TABLE bytes SYNC")


@pytest.fixture
def faulty(bridge):
    yield bridge
    bridge.heal()


def count(http, table):
    return int(http.post("/", content=f"SELECT count() FROM {table}").text)


def test_ping_asks_for_no_password(bridge):
    answer = httpx.get(f"{bridge.address}/ping")
    assert (answer.status_code, answer.text) == (200, "Ok.\n")


def test_a_result_comes_in_the_format_asked_for_and_a_statement_without_one_names_none(http):
    plain = http.post("/", content="SELECT 1, 'a' -- FORMAT CSV")
    assert (plain.text, plain.headers["X-ClickHouse-Format"]) == ("1\ta\n", "TabSeparated")
    chosen = http.post("/", content="SELECT 1 AS n FORMAT JSONEachRow;")
    assert (chosen.text, chosen.headers["X-ClickHouse-Format"]) == ('{"n":1}\n', "JSONEachRow")
    default = http.post("/?default_format=CSV", content="SELECT 'a'")
    assert (default.text, default.headers["X-ClickHouse-Format"]) == ('"a"\n', "CSV")
    nothing = http.post("/", content="CREATE DATABASE IF NOT EXISTS other")
    assert (nothing.text, "X-ClickHouse-Format" in nothing.headers) == ("", False)


def test_parameters_and_settings_come_from_the_url_and_last_for_one_request(http):
    sql = "SELECT {word:String}, getSetting('max_threads')"
    answer = http.post("/", params={"param_word": "a\\tb", "max_threads": "7"}, content=sql)
    assert answer.text == "a\\tb\t7\n"
    assert http.post("/", content="SELECT getSetting('max_threads') = 7").text == "0\n"


def test_the_statement_may_be_in_the_url_and_go_on_in_the_body_behind_a_line_feed(http, table):
    assert http.post("/", params={"query": "SELECT 1"}).text == "1\n"
    assert http.post("/", params={"query": "SELECT"}, content="2").text == "2\n"
    http.post("/", params={"query": f"INSERT INTO {table} FORMAT RowBinary"}, content=ROWS).raise_for_status()
    assert count(http, table) == len(ROWS)


@pytest.mark.parametrize("lead", ["", "\n", ";", " ", "\r\n", "'"])
def test_data_begins_behind_one_line_feed_and_is_taken_byte_for_byte(http, table, lead):
    data = lead.encode() + ROWS
    answer = http.post("/", content=f"INSERT INTO {table} (n) FORMAT RowBinary\n".encode() + data)
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == str(len(data))
    got = http.post("/", content=f"SELECT n FROM {table} ORDER BY n FORMAT RowBinary").content
    assert got == bytes(sorted(data))


@pytest.mark.parametrize("name", ["identity", "gzip", "zstd", "lz4"])
def test_bodies_may_be_compressed_and_chunked(http, table, name):
    pack = {"identity": bytes, "gzip": gzip.compress, "zstd": zstd.compress, "lz4": lz4.frame.compress}[name]
    packed = pack(ROWS)
    parts = iter([packed[:10], packed[10:]])
    query = {"query": f"INSERT INTO {table} FORMAT RowBinary"}
    http.post("/", params=query, content=parts, headers={"Content-Encoding": name}).raise_for_status()
    assert count(http, table) == len(ROWS)


def test_results_are_compressed_only_for_those_who_ask_twice(http):
    headers = {"Accept-Encoding": "gzip"}
    plain = http.post("/", content="SELECT 'a'", headers=headers)
    assert "Content-Encoding" not in plain.headers
    packed = http.post("/?enable_http_compression=1", content="SELECT 'a'", headers=headers)
    assert (packed.headers["Content-Encoding"], packed.text) == ("gzip", "a\n")


def test_a_form_brings_the_statement_and_its_parameters(http):
    answer = http.post("/", files={"query": (None, "SELECT {n:UInt8} + 1"), "param_n": (None, "4")})
    assert answer.text == "5\n"


@pytest.mark.parametrize(
    ("sql", "options", "status", "code"),
    [
        ("SELECT 1; SELECT 2", {}, 400, 62),
        ("SELEKT 1", {}, 400, 62),
        ("SELECT * FROM nothing", {}, 404, 60),
        ("SELECT 1", {"database": "nowhere"}, 404, 81),
        ("SELECT 1", {"no_such_setting": "1"}, 404, 115),
        ("SELECT 1", {"session_id": "a"}, 501, 48),
        ("SELECT throwIf(1)", {}, 500, 395),
        ("SELECT {n:UInt8}", {"param_n": "many"}, 500, 457),
    ],
)
def test_refusals_have_the_status_the_code_and_the_text_of_a_server(http, sql, options, status, code):
    answer = http.post("/", params=options, content=sql)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_a_semicolon_in_a_text_or_a_comment_or_at_the_end_makes_no_second_statement(http):
    assert http.post("/", content="SELECT ';', `a;b` FROM (SELECT 1 AS `a;b`) -- ; no\n ; ").text == ";\t1\n"


def test_get_changes_nothing(http, table):
    refused = http.get("/", params={"query": f"TRUNCATE TABLE {table}"})
    assert refused.headers["X-ClickHouse-Exception-Code"] == "164"
    assert http.get("/", params={"query": "SELECT 3"}).text == "3\n"


@pytest.mark.parametrize(
    ("headers", "options", "status"),
    [
        ({}, {}, 403),
        ({"X-ClickHouse-User": "test", "X-ClickHouse-Key": "wrong"}, {}, 403),
        ({"X-ClickHouse-User": "test", "X-ClickHouse-Key": "p@ss/word"}, {}, 200),
        ({}, {"user": "test", "password": "p@ss/word"}, 200),
    ],
)
def test_a_password_is_asked_for(bridge, headers, options, status):
    answer = httpx.post(bridge.address, params=options, headers=headers, content="SELECT 1")
    assert answer.status_code == status
    assert (answer.headers.get("X-ClickHouse-Exception-Code") == "516") == (status == 403)


def test_requests_run_at_the_same_time(http):
    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: http.post("/", content="SELECT sleep(0.5)").status_code, range(8)))
    assert answers == [200] * 8
    assert time.perf_counter() - started < 2


def test_faults_hit_what_they_are_meant_for(faulty, http, table):
    faulty.fault(only="insert", code=252)
    refused = http.post("/", content=f"INSERT INTO {table} VALUES (1)")
    assert (refused.status_code, refused.headers["X-ClickHouse-Exception-Code"]) == (500, "252")
    assert count(http, table) == 0
    faulty.fault(delay_s=0.3)
    started = time.perf_counter()
    assert http.post("/", content="SELECT 1").text == "1\n"
    assert time.perf_counter() - started >= 0.3


def test_an_answer_that_is_lost_leaves_the_client_without_a_code_and_the_rows_stored_once_under_their_token(
    faulty, bridge, http, table
):
    database = Database(bridge.url("default"))
    faulty.fault(only="insert", cut=True)
    with pytest.raises(DatabaseError) as caught:
        database.insert(table, [(1,)], ["n"], token="a")
    assert caught.value.code == 0
    faulty.heal()
    database.insert(table, [(1,)], ["n"], token="a")
    assert count(http, table) == 1
    database.close()


def test_a_moment_is_the_same_for_a_server_in_another_zone(bridge):
    database = Database(bridge.url("default"))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert database.command("SELECT toUnixTimestamp({at:DateTime('UTC')})", {"at": at}) == at.timestamp()
    database.close()


def test_nothing_is_connected_to_before_the_first_use_and_an_outage_is_one_short_line(tmp_path):
    bridge = Bridge(tmp_path)
    database = Database(bridge.url("default"), create=False)
    with pytest.raises(DatabaseError, match=r"^the database server does not answer: .*Connection refused$") as caught:
        database.command("SELECT 1")
    assert caught.value.code == 0
    bridge.start()
    assert database.command("SELECT 1") == 1
    bridge.stop()
    with pytest.raises(DatabaseError, match="does not answer"):
        database.command("SELECT 1")
    bridge.start()
    assert database.command("SELECT 1") == 1
    bridge.stop()
    database.close()


def test_a_server_that_hangs_is_given_up(faulty, bridge, monkeypatch):
    monkeypatch.setattr(storage.client, "ANSWER_S", 1)
    database = Database(bridge.url("default"))
    faulty.fault(only="SELECT 7", delay_s=2)
    with pytest.raises(DatabaseError, match=r"does not answer: .*timed out"):
        database.command("SELECT 7")
    database.close()


def test_what_was_stored_is_there_after_kill_9(tmp_path):
    with Bridge(tmp_path) as bridge:
        httpx.post(bridge.address, content="CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n").raise_for_status()
        httpx.post(bridge.address, content="INSERT INTO t VALUES (1)").raise_for_status()
        bridge.kill()
        assert not bridge.answers()
        bridge.start()
        assert httpx.post(bridge.address, content="SELECT count() FROM t").text == "1\n"


def test_it_dies_with_its_parent_and_leaves_nothing_in_the_parents_folder(tmp_path):
    script = textwrap.dedent("""
        import pathlib, sys, time
        from tests.bridge.bridge import Bridge
        with Bridge(pathlib.Path("data")) as bridge:
            print(bridge.pid, flush=True)
            time.sleep(60)
    """)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    child = Path("/proc", parent.stdout.readline().strip())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
