"""Fixtures of the tests of the whole site: one set of objects for all of them, and a folder for documents."""

import copy

import pytest
from django.db import transaction
from django.test import override_settings

from tests.site.world import World, build


@pytest.fixture(scope="package", autouse=True)
def settings_of_these_tests(tmp_path_factory):
    """Write documents to a folder of these tests, and hash passwords fast.

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
    """Create the objects once, which takes as long as hundreds of requests.

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
    """Return the objects as copies, since a test changes and refreshes them."""
    return copy.deepcopy(built)


@pytest.fixture(autouse=True)
def no_limits(settings):
    """Switch off the limits of registration, which have tests of their own: these tests send more requests."""
    settings.JOIN_ATTEMPTS_PER_MINUTE = settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
