"""Where the previous release cannot be had, that is said; where it should be there and is not, that fails."""

import shutil
import subprocess

import pytest

from tests.kit.releases import git_tree
from tests.kit.releases.git_tree import NoHistoryError, previous_commit, unpack_previous

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
ME = ("-c", "user.name=a", "-c", "user.email=a@example.com")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of two commits of one file, which is all that is deployed."""
    folder = tmp_path / "whole"
    folder.mkdir()
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "1"), ("commit", "-qm", "2", "--allow-empty")):
        (folder / "template.yaml").write_text("one")
        subprocess.run(["git", *ME, *command], cwd=folder, check=True)
    monkeypatch.setattr(git_tree, "ROOT", folder)
    monkeypatch.setattr(git_tree, "DEPLOYED", ("template.yaml",))
    return folder


def name(monkeypatch, tmp_path, commit):
    file = tmp_path / "previous.txt"
    file.write_text(f"# a comment\n{commit}\n")
    monkeypatch.setattr(git_tree, "NAMED", file)


def first_commit(folder):
    listed = subprocess.run(["git", "rev-list", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return listed.stdout.split()[-1]


def test_what_the_previous_release_deployed_is_unpacked(repository, tmp_path, monkeypatch):
    name(monkeypatch, tmp_path, first_commit(repository))
    (repository / "template.yaml").write_text("two")
    assert (unpack_previous(tmp_path / "there") / "template.yaml").read_text() == "one"


def test_a_whole_history_without_the_commit_is_an_error(repository, tmp_path, monkeypatch):
    name(monkeypatch, tmp_path, "0" * 40)
    with pytest.raises(RuntimeError, match="has no commit 000"):
        unpack_previous(tmp_path / "there")


def test_a_shallow_clone_has_no_history(repository, tmp_path, monkeypatch):
    name(monkeypatch, tmp_path, first_commit(repository))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{repository}", clone], check=True)
    monkeypatch.setattr(git_tree, "ROOT", clone)
    with pytest.raises(NoHistoryError, match="a clone without history"):
        unpack_previous(tmp_path / "there")


def test_a_repository_of_a_single_commit_has_none(repository, tmp_path, monkeypatch):
    name(monkeypatch, tmp_path, "0" * 40)
    subprocess.run(["git", "reset", "-q", "--hard", first_commit(repository)], cwd=repository, check=True)
    with pytest.raises(NoHistoryError, match="a clone without history"):
        unpack_previous(tmp_path / "there")


def test_a_folder_that_is_no_repository_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(git_tree, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(NoHistoryError, match="no git repository"):
        unpack_previous(tmp_path / "there")


def test_the_release_that_is_named_is_a_whole_commit():
    assert len(previous_commit()) == 40
