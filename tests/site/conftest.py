"""What every test of the whole site has: a folder of its own for documents."""

import pytest


@pytest.fixture(autouse=True)
def documents(settings, tmp_path):
    """Reports of runs are written below a folder of the test."""
    local = {"BACKEND": "missionsite.common.documents.LocalDocuments", "OPTIONS": {"location": tmp_path / "documents"}}
    settings.STORAGES = {**settings.STORAGES, "documents": local}


@pytest.fixture(autouse=True)
def no_limits(settings):
    """These tests open the members' door more often than a person; its limits have tests of their own."""
    settings.JOIN_ATTEMPTS_PER_MINUTE = settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
