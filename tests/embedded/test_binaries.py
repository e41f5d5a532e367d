"""Which PostgreSQL is used, and how an unprivileged user gets to it."""

import os

import pytest

from missionsite.embedded import account, binaries
from missionsite.embedded.errors import EmbeddedError

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")


def make_programs(folder, version):
    folder.mkdir()
    for name in binaries.PROGRAMS:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return folder


def test_the_wheel_comes_first():
    found = binaries.find()
    assert found.folder.parent.name == "pginstall18"
    assert found.major == 18


def test_a_chosen_folder_comes_before_the_wheel(tmp_path, monkeypatch):
    folder = make_programs(tmp_path / "bin", "17beta2")
    monkeypatch.setenv("MISSIONSITE_POSTGRES_BIN", str(folder))
    assert binaries.find() == binaries.Binaries(folder, "17")


@pytest.mark.parametrize("version", ["14.11", "9.6.24"])
def test_a_chosen_folder_that_is_too_old_is_rejected(tmp_path, monkeypatch, version):
    monkeypatch.setenv("MISSIONSITE_POSTGRES_BIN", str(make_programs(tmp_path / "bin", version)))
    with pytest.raises(EmbeddedError, match="no working PostgreSQL 15 or newer"):
        binaries.find()


def test_a_chosen_folder_without_psql_is_rejected(tmp_path, monkeypatch):
    folder = make_programs(tmp_path / "bin", "18.4")
    (folder / "psql").unlink()
    monkeypatch.setenv("MISSIONSITE_POSTGRES_BIN", str(folder))
    with pytest.raises(EmbeddedError, match="psql"):
        binaries.find()


def test_without_the_wheel_the_newest_of_the_system_is_used(tmp_path, monkeypatch):
    folders = [make_programs(tmp_path / version, version) for version in ("14", "15.2", "16.9")]
    monkeypatch.setattr(binaries, "WHEEL", "no_such_package")
    monkeypatch.setattr(binaries, "_system_folders", lambda: iter(folders))
    assert binaries.find().version == "16.9"


def test_without_any_postgresql_the_way_out_is_said(monkeypatch):
    monkeypatch.setattr(binaries, "WHEEL", "no_such_package")
    monkeypatch.setattr(binaries, "_system_folders", lambda: iter(()))
    with pytest.raises(EmbeddedError, match="apt install postgresql"):
        binaries.find()


@needs_root
def test_programs_in_a_closed_folder_are_copied_to_where_the_user_can_run_them(tmp_path, open_folder):
    found = binaries.find()
    tree = tmp_path / "closed"
    tree.mkdir(mode=0o700)
    binaries._copy(found.folder, tree)
    closed = binaries.Binaries(tree / found.folder.relative_to(binaries._tree(found.folder)), found.version)
    no_one = account.choose()
    assert not no_one.can_run(closed.program("postgres"))
    copy = closed.readable_by(no_one, open_folder)
    assert copy.folder.is_relative_to(open_folder)
    assert all(no_one.can_run(copy.program(name)) for name in binaries.PROGRAMS)
    # The next start finds the copy.
    made = copy.program("postgres").stat().st_ino
    assert closed.readable_by(no_one, open_folder).program("postgres").stat().st_ino == made


@needs_root
def test_root_gives_way_to_the_owner_of_the_folder(tmp_path):
    owned = tmp_path / "owned"
    owned.mkdir()
    os.chown(owned, 12345, 12345)
    assert account.choose(tmp_path / "missing", tmp_path, owned).uid == 12345
    assert account.choose(tmp_path).name == "nobody"
    assert account.choose(owned).run(["id", "-u"]).stdout == "12345\n"
