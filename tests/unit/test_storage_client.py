"""Where a URL points, and what can go wrong."""

import pytest

import storage.client
from storage.client import Address, Database, parse_url
from storage.errors import DatabaseError, DatabaseUrlError


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("chdb:///var/lib/ninelives", Address(embedded=True, database="ninelives", path="/var/lib/ninelives")),
        ("chdb:///a b/ü?database=test_1", Address(embedded=True, database="test_1", path="/a b/ü")),
        ("http://db", Address(embedded=False, database="ninelives", host="db", port=8123)),
        ("https://db", Address(embedded=False, database="ninelives", host="db", port=8443, secure=True)),
        (
            "http://u:p%40%2F%3A@db:9000/obs/",
            Address(embedded=False, database="obs", host="db", port=9000, user="u", password="p@/:"),
        ),
        ("http://[::1]:8123/obs", Address(embedded=False, database="obs", host="::1", port=8123)),
    ],
)
def test_a_url_says_which_engine_and_where(url, wanted):
    assert parse_url(url) == wanted


@pytest.mark.parametrize(
    "url", ["", "chdb://relative", "chdb://", "clickhouse://db", "http://", "/folder", "tcp://db:9000"]
)
def test_any_other_url_is_refused_with_the_forms_that_are_allowed(url):
    with pytest.raises(DatabaseUrlError, match="chdb:///"):
        parse_url(url)


def test_unit_tests_open_no_database(tmp_path):
    """The guard of this suite works: without it this would start an engine."""
    with pytest.raises(pytest.fail.Exception, match="move it to tests/integration"):
        Database(f"chdb://{tmp_path}/clickhouse")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Code: 60. DB::Exception: Unknown table", 60),
        ("error code: 241 (memory)", 241),
        ("connection refused", 0),
        ("", 0),
    ],
)
def test_a_database_error_knows_the_engines_code(message, code):
    assert DatabaseError(message).code == code


@pytest.mark.parametrize("failure", [RuntimeError("engine"), OSError("socket"), ConnectionRefusedError("nobody")])
def test_every_failure_of_the_engine_comes_out_as_one_kind(monkeypatch, failure):
    def fail(**_options):
        raise failure

    monkeypatch.setattr(storage.client.clickhouse_connect, "get_client", fail)
    with pytest.raises(DatabaseError, match=str(failure)):
        Database("http://127.0.0.1:1/x")
