"""The file of tokens: what it may hold, who can read it, and that a change needs no restart."""

import json
import os
import stat
import threading
import time

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import storage.tokens
from ninelives.cli import main
from storage.tokens import (
    SCOPES,
    Token,
    Tokens,
    TokensError,
    bearer,
    digest,
    editing,
    new_secret,
    read_tokens,
    write_tokens,
)

SECRET = "nl_0123456789abcdefghijklmnopqrstuvwxyzABCDEF0"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "tokens.yaml"


@pytest.fixture
def soon(monkeypatch):
    """Look at the file on every request."""
    monkeypatch.setattr(storage.tokens, "LOOK_EVERY_S", 0)


def token(name="shop", *scopes, secret=SECRET, **more):
    return Token(name, frozenset(scopes or ("ingest",)), digest(secret), **more)


def header(secret=SECRET):
    return f"Bearer {secret}"


def names(tokens, *secrets):
    return [found.name if (found := tokens.find(header(secret))) else None for secret in secrets]


def test_a_token_is_256_random_bits_and_never_twice_the_same():
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret.removeprefix("nl_")) for secret in secrets} == {43}


@given(st.text(max_size=60))
def test_no_header_makes_the_reading_fail(text):
    found = bearer(text)
    assert found is None or found in text


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", SECRET, f"Basic {SECRET}", f"Bearer {SECRET}x", f"Bearer {SECRET}, Bearer {SECRET}",
     "Bearer ünï", "Bearer \x00", f"Bearer {SECRET[:-1]}", "Bearer " + digest(SECRET)],
)  # fmt: skip
def test_what_is_not_exactly_a_known_token_finds_nobody(path, authorization):
    write_tokens(path, [token()])
    assert Tokens(path).find(authorization) is None


def test_a_known_token_finds_its_holder_whatever_the_case_of_the_scheme(path):
    other = new_secret()
    write_tokens(path, [token(), token("people", "read", secret=other)])
    tokens = Tokens(path)
    assert names(tokens, SECRET, other) == ["shop", "people"]
    assert tokens.find(f"bearer  {SECRET} ").name == "shop"


def test_scopes_above_include_those_below():
    allowed = {scope: {want for want in SCOPES if token("x", scope).allows(want)} for scope in SCOPES}
    assert allowed == {
        "ingest": {"ingest"},
        "read": {"read"},
        "operate": {"read", "operate"},
        "admin": set(SCOPES),
    }


def test_the_file_is_read_as_it_was_written_and_by_its_owner_alone(path):
    written = [token("shop", "ingest", requests_per_s=5.0, mb_per_s=0.5), token("x.y-z_1", "read", "admin")]
    write_tokens(path, written)
    assert read_tokens(path) == written
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET not in path.read_text("utf-8")
    assert [found.name for found in path.parent.iterdir()] == ["tokens.yaml"], "no draft is left behind"


def test_json_is_read_too(path):
    path.parent.mkdir()
    path.write_text(json.dumps({"tokens": [{"name": "shop", "scopes": ["ingest"], "sha256": digest(SECRET)}]}), "utf-8")
    assert read_tokens(path) == [token()]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "dictionary"),
        ("tokens: nothing", "list"),
        ("tokens: [{name: a}]", "scopes"),
        ("tokens: [{name: a b, scopes: [read], sha256: ''}]", "a b"),
        (f"tokens: [{{name: a, scopes: [read], sha256: {SECRET}}}]", "sha256"),
        (f"tokens: [{{name: a, scopes: [{SECRET}], sha256: {'a' * 64}}}]", "scopes"),
        (f"tokens: [{{name: a, scopes: [read], sha256: {'a' * 64}, token: {SECRET}}}]", "token"),
        (f"tokens: [{{name: a, scopes: [read], sha256: {'a' * 64}, requests_per_s: -1}}]", "requests_per_s"),
        (f"tokens: [{SECRET}", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_by_its_name_and_place_and_never_quotes_a_token(path, text, reason):
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    with pytest.raises(TokensError) as refusal:
        Tokens(path)
    assert str(path) in str(refusal.value)
    assert reason in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_refused(path):
    with pytest.raises(TokensError, match=r"cannot be read: .*No such file"):
        Tokens(path)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_change_is_refused(path, mode):
    write_tokens(path, [token()])
    path.chmod(mode)
    with pytest.raises(TokensError, match="chmod 600"):
        read_tokens(path)


def test_a_change_is_in_force_without_a_restart(path, soon):
    new = new_secret()
    write_tokens(path, [token()])
    tokens = Tokens(path)
    assert names(tokens, SECRET, new) == ["shop", None]
    write_tokens(path, [token(), token(secret=new)])
    assert names(tokens, SECRET, new) == ["shop", "shop"]
    write_tokens(path, [token(secret=new)])
    assert names(tokens, SECRET, new) == [None, "shop"]


def test_the_file_is_looked_at_once_a_second(path):
    write_tokens(path, [token()])
    tokens = Tokens(path)
    write_tokens(path, [])
    assert names(tokens, SECRET) == ["shop"]
    tokens._looked_at = time.monotonic() - 1
    assert names(tokens, SECRET) == [None]


@pytest.mark.parametrize("damage", ["tokens: [", "", None])
def test_a_file_that_became_unreadable_neither_opens_nor_closes_the_door(path, soon, damage, caplog):
    write_tokens(path, [token()])
    tokens = Tokens(path)
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage, "utf-8")
    assert names(tokens, SECRET, "nl_other") == ["shop", None]
    assert names(tokens, SECRET) == ["shop"]
    assert caplog.text.count("the last good tokens stay in force") == 1, "said once"
    write_tokens(path, [])
    assert names(tokens, SECRET) == [None]


def test_tokens_of_this_process_stand_beside_those_of_the_file(path, soon):
    own = new_secret()
    write_tokens(path, [token()])
    tokens = Tokens(path, own=[token("dashboard", "read", secret=own)])
    write_tokens(path, [])
    assert names(tokens, own, SECRET) == ["dashboard", None]


def test_many_threads_may_ask_while_the_file_changes(path, soon):
    write_tokens(path, [token()])
    tokens, found = Tokens(path), []

    def ask():
        found.extend(names(tokens, SECRET)[0] for _ in range(200))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for count in range(20):
        write_tokens(path, [token(), token("other", secret=str(count))])
    for thread in threads:
        thread.join()
    assert found == ["shop"] * 800


def test_edits_at_the_same_time_are_all_kept(path):
    def add(number):
        with editing(path) as known:
            known.append(token(f"t{number}"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {found.name for found in read_tokens(path)} == {f"t{number}" for number in range(8)}


def test_an_edit_that_fails_changes_nothing(path):
    write_tokens(path, [token()])
    with pytest.raises(KeyError), editing(path) as known:
        known.pop({}["a defect"])
    with pytest.raises(TokensError, match="not a name"), editing(path) as known:
        known[:] = [token("not a name")]
    assert read_tokens(path) == [token()]


class Shell:
    """Runs `ninelives tokens` on one file."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *arguments, code=0):
        found = CliRunner().invoke(main, ["tokens", *arguments, "--tokens-file", str(self.path)])
        assert found.exit_code == code, found.output
        return found.stdout.strip() if code == 0 else found.stderr.strip()


@pytest.fixture
def shell(path, monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("NINELIVES_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Shell(path)


def test_a_token_is_made_listed_replaced_and_ended_on_the_command_line(shell, path):
    first = shell("add", "shop", "--scope", "ingest", "--scope", "read", "--requests-per-s", "5", "--mb-per-s", "1.5")
    tokens = Tokens(path)
    found = tokens.find(header(first))
    assert (found.name, found.scopes, found.requests_per_s, found.mb_per_s) == ("shop", {"ingest", "read"}, 5, 1.5)
    assert found.created_at is not None

    second = shell("rotate", "shop")
    tokens = Tokens(path)
    assert names(tokens, first, second) == ["shop", "shop"], "both are valid while it is replaced"
    renewed = tokens.find(header(second))
    assert (renewed.scopes, renewed.requests_per_s, renewed.mb_per_s) == ({"ingest", "read"}, 5, 1.5)

    listed = shell("list")
    assert "ingest read" in listed
    assert "5 requests/s, 1.5 MB/s" in listed
    assert first not in listed
    assert second not in listed

    assert shell("revoke", "shop", "--old") == "revoked 1 token(s) of shop"
    assert names(Tokens(path), first, second) == [None, "shop"]
    assert shell("revoke", "shop") == "revoked 1 token(s) of shop"
    assert names(Tokens(path), first, second) == [None, None]


def test_machines_read_json(shell):
    made = json.loads(shell("add", "shop", "--scope", "ingest", "--json"))
    assert digest(made["token"]) == made["sha256"]
    (listed,) = json.loads(shell("list", "--json"))
    assert listed == {key: value for key, value in made.items() if key != "token"}


def test_what_cannot_be_done_is_one_line_and_exit_code_1(shell):
    assert "No such file" in shell("list", code=1)
    shell("add", "shop", "--scope", "ingest")
    assert "'ninelives tokens rotate shop'" in shell("add", "shop", "--scope", "read", code=1)
    assert "has no token" in shell("rotate", "other", code=1)
    assert "has no token" in shell("revoke", "other", code=1)
    assert "a b" in shell("add", "a b", "--scope", "ingest", code=1)
    shell("rotate", "shop")
    assert "--old" in shell("rotate", "shop", code=1)


def test_without_a_file_of_its_own_the_data_folder_has_the_tokens(shell, tmp_path):
    found = CliRunner().invoke(main, ["tokens", "add", "shop", "--scope", "ingest", "--data", str(tmp_path / "here")])
    assert found.exit_code == 0
    assert "asks for tokens from its next start" in found.stderr
    assert [known.name for known in read_tokens(tmp_path / "here" / "tokens.yaml")] == ["shop"]
