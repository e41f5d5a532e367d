import shutil
import tempfile
from pathlib import Path

import pytest

from missionsite import embedded


@pytest.fixture(autouse=True)
def no_chosen_programs(monkeypatch):
    """Whatever the caller chose, a test says itself which PostgreSQL it runs on."""
    monkeypatch.delenv("MISSIONSITE_POSTGRES_BIN", raising=False)


@pytest.fixture
def var(tmp_path) -> Path:
    """A folder for a cluster of the test's own, under a path that has to be quoted; nothing of it stays."""
    folder = tmp_path / "it's a folder" / "var"
    yield folder
    embedded.remove(folder)


@pytest.fixture(scope="module")
def shared_var(tmp_path_factory) -> Path:
    """The same for a whole module, whose tests leave the cluster startable: making one takes seconds."""
    folder = tmp_path_factory.mktemp("shared") / "it's a folder" / "var"
    yield folder
    embedded.remove(folder)


@pytest.fixture
def open_folder() -> Path:
    """A folder that every user of the machine can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
