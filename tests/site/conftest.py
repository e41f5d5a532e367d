"""What every test of the whole site has: a folder of its own for documents."""

import pytest


@pytest.fixture(autouse=True)
def documents(settings, tmp_path):
    """Reports of runs are written below a folder of the test."""
    local = {"BACKEND": "missionsite.common.documents.LocalDocuments", "OPTIONS": {"location": tmp_path / "documents"}}
    settings.STORAGES = {**settings.STORAGES, "documents": local}
