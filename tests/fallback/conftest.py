"""Reports and documents of these tests go to a folder of their own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def documents_root(tmp_path, settings) -> Path:
    """The folder documents are kept in, empty."""
    root = tmp_path / "documents"
    local = {"BACKEND": "missionsite.common.documents.LocalDocuments", "OPTIONS": {"location": root}}
    settings.STORAGES = settings.STORAGES | {"documents": local}
    return root
