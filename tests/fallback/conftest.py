"""Stores documents of these tests in a temporary folder."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def documents_root(tmp_path, settings) -> Path:
    """The empty folder of documents."""
    root = tmp_path / "documents"
    local = {"BACKEND": "missionsite.common.documents.LocalDocuments", "OPTIONS": {"location": root}}
    settings.STORAGES = settings.STORAGES | {"documents": local}
    return root
