"""The commit of a file is what git says it is, without git."""

import getpass
import os
import subprocess

import pytest

from ninelives.authorship import CI_ACTORS, author, commit_of

IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


def git(folder, *arguments):
    environment = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "work"
    (folder / "slos").mkdir(parents=True)
    (folder / "slos" / "shop.yaml").write_text("a", "utf-8")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    return folder


def test_the_commit_of_a_file_is_that_of_its_repository(repository):
    assert commit_of(str(repository / "slos" / "shop.yaml")) == git(repository, "rev-parse", "HEAD")


def test_packed_references_detached_heads_and_work_trees_are_read_as_git_reads_them(repository):
    git(repository, "pack-refs", "--all")
    packed = commit_of(str(repository / "slos" / "shop.yaml"))
    git(repository, "worktree", "add", "-q", "-b", "other", "../other")
    tree = commit_of(str(repository.parent / "other" / "slos" / "shop.yaml"))
    git(repository, "checkout", "-q", "--detach")
    detached = commit_of(str(repository / "slos" / "shop.yaml"))
    assert {packed, tree, detached} == {git(repository, "rev-parse", "HEAD")}


def test_without_a_commit_none_is_named(tmp_path):
    assert commit_of(str(tmp_path / "draft")) == ""
    git(tmp_path, "init", "-q", "-b", "main")
    assert commit_of(str(tmp_path / "shop.yaml")) == ""
    (tmp_path / ".git" / "HEAD").write_text("nonsense", "utf-8")
    assert commit_of(str(tmp_path / "shop.yaml")) == ""
    (tmp_path / ".git" / "HEAD").unlink()
    assert commit_of(str(tmp_path / "shop.yaml")) == ""


def test_the_actor_of_a_pipeline_goes_before_the_account_that_runs_it(monkeypatch):
    for name in CI_ACTORS:
        monkeypatch.delenv(name, raising=False)
    assert author() == getpass.getuser()
    monkeypatch.setenv("GITLAB_USER_LOGIN", "ada")
    assert author() == "ada"


def test_an_account_without_a_name_is_nobody(monkeypatch):
    for name in CI_ACTORS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(getpass, "getuser", lambda: {}["no such id"])
    assert author() == ""
