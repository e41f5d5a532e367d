"""Requests of the tests are checked for N+1 queries; see tests/support/nplusone.py."""

import pytest
from django.conf import settings
from django.http import HttpResponse
from zeal.errors import NPlusOneError

from groups.models import Membership
from tests.support.factories.groups import MembershipFactory
from tests.support.nplusone import NPlusOneMiddleware

pytestmark = pytest.mark.django_db


def list_members(request):
    rows = Membership.objects.order_by("joined_at")
    return HttpResponse(", ".join(row.member.display_name for row in rows))


def test_middleware_is_installed():
    assert f"{NPlusOneMiddleware.__module__}.NPlusOneMiddleware" in settings.MIDDLEWARE


def test_query_per_row_raises(rf):
    MembershipFactory.create_batch(2)
    with pytest.raises(NPlusOneError, match=r"Membership\.member"):
        NPlusOneMiddleware(list_members)(rf.get("/"))


def test_post_may_query_per_row(rf):
    MembershipFactory.create_batch(2)
    assert NPlusOneMiddleware(list_members)(rf.post("/")).status_code == 200
