"""Every benchmark runs to its end, at a size at which its figures mean nothing."""

import os
import subprocess
import sys

import pytest

from missionsite import embedded

SMALL = {
    "active_missions": ["--scale=0.0005", "--rounds=1", "--seconds=1"],
    "admin_lists": ["--scale=0.001", "--rounds=1"],
    "backlog": ["--scale=0.0002", "--rounds=1", "--projects=20"],
    "imports": ["--scale=0.002", "--rounds=1", "--sample=5"],
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
