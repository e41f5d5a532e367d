"""A real cluster: made, found running, stopped, moved to another port, and told apart from another version's."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from missionsite import embedded
from missionsite.embedded import account
from missionsite.embedded.errors import EmbeddedError

VERSION_15 = Path("/usr/lib/postgresql/15/bin")
START = """
import sys
from pathlib import Path
from missionsite import embedded
print("ready", flush=True)
sys.stdin.readline()
server = embedded.start(Path(sys.argv[1]), tests=True)
print(server.started, server.app_url)
"""
AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from missionsite import embedded
os.setuid(12345)
try:
    embedded.start(Path(sys.argv[1]))
except embedded.EmbeddedError as error:
    print(error)
"""


@pytest.fixture(params=["the wheel's", pytest.param("15", marks=pytest.mark.long)])
def each_version(request, monkeypatch, var):
    """Run the test on the wheel's PostgreSQL and on the oldest supported one, where that is installed."""
    if request.param == "15":
        if not VERSION_15.exists():
            pytest.skip("PostgreSQL 15 is not installed: apt install postgresql-15")
        monkeypatch.setenv("MISSIONSITE_POSTGRES_BIN", str(VERSION_15))


@pytest.mark.seed("site database roles: the site owns nothing, records only grow, a member sees what is")
def test_the_roles_can_do_what_they_are_for_and_no_more(var, each_version):
    server = embedded.start(var)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept (id int)")
        owner.execute("GRANT SELECT ON kept TO missionsite_member")
        attributes = dict(
            owner.execute(
                """
                SELECT rolname::text, concat_ws(' ', rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole)
                FROM pg_roles WHERE rolname LIKE 'missionsite%'
                """
            ).fetchall()
        )
        assert attributes == {
            "missionsite_owner": "t f f f f",
            "missionsite_app": "t f f f f",
            "missionsite_member": "f f f f f",
            # Sees the rows that the site sees, and writes none.
            "missionsite_viewer": "f f t f f",
            # Reads all rows, also those that row security hides from the owner.
            "missionsite_backup": "t f t f f",
        }
        [[database_owner]] = owner.execute(
            "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
        )
        assert database_owner == "missionsite_owner"
        # Text is compared and lower-cased by the same rules on every machine.
        assert owner.execute("SELECT lower('ÉÄ')").fetchone() == ("éä",)
    with psycopg.connect(server.app_url, autocommit=True) as app:
        for rejected in ("CREATE TABLE mine (id int)", "SELECT * FROM kept", "SET ROLE missionsite_owner"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(rejected)
        app.execute("SET ROLE missionsite_member")
        assert app.execute("SELECT count(*) FROM kept").fetchone() == (0,)


@pytest.mark.long
def test_the_owner_creates_databases_in_the_cluster_for_tests_only(shared_var):
    server = embedded.start(shared_var, tests=True)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        owner.execute("CREATE DATABASE test_missionsite")
        assert owner.execute("SHOW fsync").fetchone() == ("off",)
    embedded.stop(shared_var)
    server = embedded.start(shared_var)
    with psycopg.connect(server.owner_url) as owner:
        assert owner.execute("SHOW fsync").fetchone() == ("on",)
    embedded.stop(shared_var)


def test_a_password_is_needed_and_only_this_machine_can_knock(shared_var):
    server = embedded.start(shared_var, tests=True)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgres://missionsite_app:wrong@127.0.0.1:{server.port}/missionsite")
    with psycopg.connect(server.app_url) as app:
        assert app.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
    for name in ("postgres.json", "postgres.superuser"):
        assert (shared_var / name).stat().st_mode & 0o077 == 0


def test_a_second_start_finds_it_running(shared_var):
    embedded.stop(shared_var)
    first = embedded.start(shared_var, tests=True)
    second = embedded.start(shared_var, tests=True)
    assert (first.started, second.started) == (True, False)
    assert (first.app_url, first.owner_url) == (second.app_url, second.owner_url) == embedded.urls(shared_var)


def test_of_several_starts_at_once_one_starts_it(var):
    starting = [
        subprocess.Popen([sys.executable, "-c", START, var], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdout.readline() == "ready\n"
    for process in starting:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120)[0].split() for process in starting]
    assert sorted(started for started, _url in answers) == ["False", "False", "False", "True"]
    assert len({url for _started, url in answers}) == 1


def test_rows_port_and_passwords_stay_over_a_restart(shared_var):
    before = embedded.start(shared_var, tests=True)
    with psycopg.connect(before.owner_url) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS id")
    assert embedded.stop(shared_var)
    assert embedded.status(shared_var) is None
    assert not embedded.stop(shared_var)
    after = embedded.start(shared_var, tests=True)
    assert after.app_url == before.app_url
    with psycopg.connect(after.owner_url) as owner:
        assert owner.execute("SELECT id FROM kept").fetchone() == (42,)


@pytest.mark.long
def test_a_taken_port_is_left_to_whoever_has_it(shared_var):
    before = embedded.start(shared_var, tests=True)
    embedded.stop(shared_var)
    with socket.create_server(("127.0.0.1", before.port)):
        after = embedded.start(shared_var, tests=True)
        assert after.port != before.port
        assert embedded.urls(shared_var) == (after.app_url, after.owner_url)
        psycopg.connect(after.app_url).close()


@pytest.mark.long
def test_a_lost_connection_file_is_made_anew(shared_var):
    before = embedded.start(shared_var, tests=True)
    (shared_var / "postgres.json").unlink()
    after = embedded.start(shared_var, tests=True)
    assert after.port == before.port
    psycopg.connect(after.app_url).close()


def test_a_lost_way_in_is_said(shared_var):
    embedded.start(shared_var, tests=True)
    way_in = shared_var / "postgres.superuser"
    kept = way_in.rename(shared_var / "kept")
    (shared_var / "postgres.json").unlink()
    with pytest.raises(EmbeddedError, match=r"postgres\.superuser is gone.*bin/demo --reset"):
        embedded.start(shared_var, tests=True)
    kept.rename(way_in)


@pytest.mark.long
def test_a_first_start_that_was_cut_short_begins_again(shared_var):
    embedded.start(shared_var, tests=True)
    embedded.stop(shared_var)
    home = (shared_var / "postgres").resolve()
    (home / "data").rename(home / "data.new")
    (home / "data.new" / "PG_VERSION").unlink()
    psycopg.connect(embedded.start(shared_var, tests=True).app_url).close()
    assert not (home / "data.new").exists()


def test_data_of_another_version_are_left_alone(shared_var):
    embedded.start(shared_var, tests=True)
    embedded.stop(shared_var)
    version = (shared_var / "postgres").resolve() / "data" / "PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(
        EmbeddedError, match=r"made by PostgreSQL 16, and .* holds 18\.4\. Set MISSIONSITE_POSTGRES_BIN"
    ):
        embedded.start(shared_var, tests=True)
    version.write_text("18\n")


@pytest.mark.long
def test_a_path_too_long_for_a_socket(tmp_path):
    var = tmp_path / ("long" * 30) / "var"
    try:
        with psycopg.connect(embedded.start(var, tests=True).owner_url) as owner:
            assert owner.execute("SELECT 1").fetchone() == (1,)
        [folder] = [
            Path(line.split('"')[1])
            for line in (var / "postgres").resolve().joinpath("data", "missionsite.conf").read_text().splitlines()
            if line.startswith("unix_socket_directories")
        ]
        assert folder.stat().st_mode & 0o077 == 0
        embedded.stop(var)
        assert not folder.exists() or folder.is_relative_to((var / "postgres").resolve())
    finally:
        embedded.remove(var)


@pytest.mark.long
def test_variables_of_another_server_are_ignored_also_when_removing(var, monkeypatch):
    for name, value in {
        "PGPORT": "1",
        "PGHOST": "/nowhere",
        "PGUSER": "x",
        "PGDATA": "/nowhere",
        "PGSSLMODE": "verify-full",
    }.items():
        monkeypatch.setenv(name, value)
    assert embedded.start(var, tests=True).started
    home = (var / "postgres").resolve()
    embedded.remove(var)
    assert not home.exists()
    assert not list(var.glob("postgres*[!k]"))


def test_chosen_server_settings(shared_var, monkeypatch):
    embedded.stop(shared_var)
    monkeypatch.setenv("MISSIONSITE_POSTGRES_SETTINGS", "work_mem=8MB application_name='two words'")
    with psycopg.connect(embedded.start(shared_var, tests=True).app_url) as app:
        assert app.execute("SHOW work_mem").fetchone() == ("8MB",)
    embedded.stop(shared_var)


@pytest.mark.parametrize("text", ["work_mem", "work_mem='8MB"])
def test_malformed_server_settings_are_rejected(shared_var, monkeypatch, text):
    embedded.stop(shared_var)
    monkeypatch.setenv("MISSIONSITE_POSTGRES_SETTINGS", text)
    with pytest.raises(EmbeddedError, match="Write name=value pairs"):
        embedded.start(shared_var, tests=True)


def test_an_unknown_server_setting_is_named(shared_var, monkeypatch):
    embedded.stop(shared_var)
    monkeypatch.setenv("MISSIONSITE_POSTGRES_SETTINGS", "no_such_setting=1")
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        embedded.start(shared_var, tests=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give way")
class TestAsRoot:
    def test_the_server_runs_as_an_ordinary_user(self, shared_var):
        embedded.start(shared_var, tests=True)
        pid = embedded.status(shared_var).pid
        assert Path(f"/proc/{pid}").stat().st_uid != 0

    @pytest.mark.long
    def test_data_of_a_closed_folder_live_elsewhere(self, var, monkeypatch, tmp_path):
        tmp_path.chmod(0o700)
        embedded.start(var, tests=True)
        assert (var / "postgres").is_symlink()
        assert account.choose((var / "postgres").resolve()).can_enter((var / "postgres").resolve())

    @pytest.mark.long
    def test_a_vanished_elsewhere_is_said(self, var, tmp_path):
        var.mkdir(parents=True)
        (var / "postgres").symlink_to(tmp_path / "gone")
        with pytest.raises(EmbeddedError, match="which is gone"):
            embedded.start(var, tests=True)
        (var / "postgres").unlink()

    @pytest.mark.long
    def test_another_users_folder_is_rejected_with_a_sentence(self, open_folder):
        var = open_folder / "var"
        embedded.start(var, tests=True)
        try:
            asked = subprocess.run(
                [sys.executable, "-c", AS_ANOTHER_USER, var], check=False, capture_output=True, text=True
            )
        finally:
            embedded.remove(var)
        assert asked.stdout.startswith(f"You have no access to {var}/postgres.lock: another user started the site")
