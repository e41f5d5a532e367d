"""Every benchmark runs to its end, at a size at which its figures mean nothing.

A build runs one in four of them, others the next day, in this process on a copy of the database of the tests; as
programs, with a server of their own, they take minutes.
"""

import importlib
import os
import subprocess
import sys

import pytest

from missionsite import embedded
from tests.migrating import databases_of
from tests.support.sample import share

SMALL = {
    "active_missions": ["--scale=0.0005", "--rounds=1", "--seconds=1"],
    "admin_lists": ["--scale=0.001", "--rounds=1"],
    "audit": ["--rounds=1", "--threads=2", "--seconds=0.2"],
    "backlog": ["--scale=0.0002", "--rounds=1", "--projects=20"],
    "imports": ["--scale=0.002", "--rounds=1", "--sample=5"],
    "metrics": ["--scale=0.002", "--rounds=1"],
    "pages": ["--rounds=1"],
    "participation": ["--scale=0.0001", "--rounds=1", "--people=50", "--batch=20", "--sample=5"],
    "queue": [
        "--scale=0.0001",
        "--messages=50",
        "--members=50",
        "--rounds=1",
        "--sample=5",
        "--seconds=1",
        "--shared-buffers=64MB",
    ],
    "row_costs": ["--rows=20", "--rounds=1"],
    "services": ["--scale=0.0001", "--rounds=1"],
    "sweep": ["--scale=0.001", "--rounds=1", "--sample=5"],
    "test_reports": ["--scale=0.002", "--rounds=1"],
}


def modules() -> set[str]:
    """The benchmarks: the modules with a program in them."""
    folder = embedded.CHECKOUT / "benchmarks"
    return {path.stem for path in folder.glob("*.py") if '__name__ == "__main__"' in path.read_text()}


@pytest.fixture(scope="module")
def environment():
    """A folder of this process's own below that of the tests, kept for the dump of an empty schema in it."""
    var = embedded.var_dir() / f"benchmarks-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    var.mkdir(parents=True, exist_ok=True)
    yield os.environ | {"MISSIONSITE_VAR_DIR": str(var), "PYTHONUNBUFFERED": "1"}
    for folder in (var / "benchmarks", var / "benchmarks" / "many"):
        if folder.exists():
            embedded.stop(folder)


def test_every_benchmark_has_a_small_size():
    assert set(SMALL) == modules()


# They make servers or schemas besides; a build sees that they begin.
WITH_MORE_SERVERS = {"backlog", "queue"}


@pytest.fixture
def database(request, monkeypatch, django_db_setup, django_db_blocker):
    """A copy of the database of the tests; what a benchmark asks for its server gets that."""
    with django_db_blocker.unblock():
        copy = databases_of(request.config, django_db_blocker).copy_of_tests("benchmark")
    found = copy.environment()
    server = embedded.Server(int(copy.owner["port"]), found["DATABASE_URL"], found["DATABASE_OWNER_URL"], started=False)

    def serve(module) -> None:
        monkeypatch.setattr(module, "prepare", lambda **_settings: server)
        monkeypatch.setattr(module, "stop", lambda: None)

    copy.serve = serve
    return copy


@pytest.mark.parametrize("name", share(sorted(SMALL.keys() - WITH_MORE_SERVERS), of=4))
def test_benchmark_runs_on_a_database_that_is_there(name, database, monkeypatch, capsys):
    module = importlib.import_module(f"benchmarks.{name}")
    database.serve(module)
    monkeypatch.setattr(sys, "argv", [name, *SMALL[name]])
    for variable, value in database.environment().items():
        monkeypatch.setenv(variable, value)
    with database.as_default(owner=False):
        module.main()
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("name", sorted(WITH_MORE_SERVERS))
def test_benchmark_with_more_servers_begins(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"benchmarks.{name}").main()
    assert ended.value.code == 0
    assert "--scale" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("name", SMALL)
def test_benchmark_runs_to_its_end(name, environment):
    asked = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *SMALL[name]],
        cwd=embedded.CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert asked.returncode == 0, asked.stderr[-4_000:]
    assert asked.stdout.strip()
