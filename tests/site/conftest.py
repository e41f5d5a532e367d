"""What the tests of the whole site share: one world for all of them, and a folder for documents."""

import copy

import pytest
from django.db import transaction
from django.test import override_settings

from tests.site.world import World, build


@pytest.fixture(scope="package", autouse=True)
def settings_of_these_tests(tmp_path_factory):
    """Reports of runs are written below a folder of these tests; passwords, which every form is sent, are hashed fast.

    How well they are hashed is no question here.
    """
    from django.conf import settings

    folder = tmp_path_factory.mktemp("documents")
    local = {"BACKEND": "missionsite.common.documents.LocalDocuments", "OPTIONS": {"location": folder}}
    with override_settings(
        STORAGES={**settings.STORAGES, "documents": local},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ):
        yield


@pytest.fixture(scope="package")
def built(settings_of_these_tests, django_db_setup, django_db_blocker):
    """The world, made once: making it takes as long as hundreds of requests.

    It lives in a transaction around all of these tests, and what a test does in a savepoint of it that is taken back.
    """
    around = transaction.atomic()
    # As the transaction of a TestCase: services that must not be part of another transaction may run within.
    around._from_testcase = True
    with django_db_blocker.unblock():
        around.__enter__()
        made = build()
    yield made
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def world(built, db) -> World:
    """The world as it was made: the objects are copies, for a test changes and refreshes them."""
    return copy.deepcopy(built)


@pytest.fixture(autouse=True)
def no_limits(settings):
    """These tests open the members' door more often than a person; its limits have tests of their own."""
    settings.JOIN_ATTEMPTS_PER_MINUTE = settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
