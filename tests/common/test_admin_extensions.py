"""Tabs and list buttons that apps add to the pages of another app's model."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from missionsite.common.admin import extensions
from missionsite.common.models import ApiToken
from tests.support.admin import client
from tests.support.factories.groups import MemberFactory

FIRST, SECOND = [{"title": "First"}], [{"title": "Second"}]


@pytest.fixture(autouse=True)
def no_list_buttons(monkeypatch):
    monkeypatch.setattr(extensions, "_list_buttons", {ApiToken: {}})


def test_order_decides_not_registration(rf):
    extensions.register_list_button(ApiToken, lambda request: SECOND, order=20)
    extensions.register_list_button(ApiToken, lambda request: FIRST, order=10)
    assert extensions.list_buttons_of(ApiToken, rf.get("/")) == [*FIRST, *SECOND]


def test_an_order_belongs_to_one_extension(rf):
    extensions.register_list_button(ApiToken, lambda request: FIRST, order=10)
    with pytest.raises(ImproperlyConfigured, match="order 10"):
        extensions.register_list_button(ApiToken, lambda request: SECOND, order=10)
    assert extensions.list_buttons_of(ApiToken, rf.get("/")) == FIRST


def test_tabs_of_apps_follow_those_of_the_model(db):
    member = MemberFactory()
    page = client("Auditor").get(f"/admin/groups/member/{member.pk}/change/")
    tabs = [str(item["title"]) for item in page.context["tab_list"][0]["items"]]
    assert tabs[-4:] == ["Engagement", "Client missions", "Rights", "History"]
