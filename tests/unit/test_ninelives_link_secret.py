"""The secret that signs links: made once, private, and the same for whoever shares the file."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alerts.signing import LinkSigner
from ninelives.link_secret import read_link_secret
from ninelives.settings import SettingsError, load_settings


def test_a_secret_is_made_at_first_need_for_this_user_alone_and_kept(tmp_path):
    path = tmp_path / "data" / "links.secret"
    first = read_link_secret(path)
    assert read_link_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path], "no draft is left"
    assert LinkSigner(first)


def test_roles_that_start_together_get_the_same_secret(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(read_link_secret, [tmp_path / "links.secret"] * 16))
    assert len(found) == 1


def test_a_secret_of_the_operator_is_used_without_the_line_end_that_editors_add(tmp_path):
    path = tmp_path / "mounted"
    path.write_text("0123456789abcdef" * 4 + "\n")
    assert read_link_secret(path) == b"0123456789abcdef" * 4


def test_too_short_a_secret_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "mounted"
    path.write_text("hunter2")
    with pytest.raises(SettingsError, match="has 7 bytes; it needs 32 or more: write what 'openssl rand -hex 32'"):
        read_link_secret(path)


def test_a_file_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"links\.secret, cannot be read or made"):
        read_link_secret(tmp_path / "file" / "links.secret")


def test_it_lies_in_the_data_folder_unless_the_setting_says_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).link_secret_path == Path(".ninelives/links.secret")
    monkeypatch.setenv("NINELIVES_LINK_SECRET_FILE", "/run/secrets/links")
    assert load_settings({}).link_secret_path == Path("/run/secrets/links")
