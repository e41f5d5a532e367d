"""Fixtures of the tests of the whole site: one set of objects for all of them, and a folder for documents."""

import copy

import pytest
from django.test import override_settings

from tests.site.world import World, build
from tests.support.database import shared_rows


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

    They live in a transaction around the tests that use them, which come first.
    """
    with shared_rows(django_db_blocker):
        with django_db_blocker.unblock():
            made = build()
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """End the transaction of the objects before a test that does not use them: it would see them, or commit."""
    result = yield
    if nextitem and "built" in item.fixturenames and "built" not in nextitem.fixturenames:
        item._request._get_active_fixturedef("built").finish(item._request)
    return result


@pytest.fixture
def world(built, db) -> World:
    """Return the objects as copies, since a test changes and refreshes them."""
    return copy.deepcopy(built)


@pytest.fixture(autouse=True)
def no_limits(settings):
    """Switch off the limits of registration, which have tests of their own: these tests send more requests."""
    settings.JOIN_ATTEMPTS_PER_MINUTE = settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
