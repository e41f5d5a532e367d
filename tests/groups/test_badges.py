"""The colours of states depend on the stored value, in every language and in lists and pages alike."""

import re

import pytest
from django.contrib import admin
from django.utils import translation

from groups.models import CommunityInvitation, CommunityMember, Member, Membership, Mission, Task
from missionsite.common.models import ApiToken
from tests.support.admin import client
from tests.support.factories.groups import (
    EntryFactory,
    InvitationFactory,
    MembershipFactory,
    MissionFactory,
    StaffFactory,
    TaskFactory,
)
from tests.support.factories.tokens import make_token

pytestmark = pytest.mark.django_db

# What makes an object, the method that shows its state, and the colour.
STATES = {
    ApiToken: (lambda: make_token(StaffFactory(), "missions:read")[0], "state", "green"),
    CommunityInvitation: (InvitationFactory, "state", "blue"),
    CommunityMember: (EntryFactory, "status_shown", "green"),
    Member: (StaffFactory, "staff", "blue"),
    Membership: (MembershipFactory, "state", "green"),
    Mission: (lambda: Mission.objects.get(pk=MissionFactory().pk), "state", "green"),
    Task: (TaskFactory, "state_shown", "blue"),
}


class Translated:
    """A catalog in which every text is another one than in English."""

    def gettext(self, text: str) -> str:
        return f"«{text}»"


@pytest.mark.parametrize("model", STATES, ids=lambda model: model.__name__)
def test_colour_is_the_same_in_every_language(model, monkeypatch):
    make, method, colour = STATES[model]
    obj, show = make(), getattr(admin.site.get_model_admin(model), method)
    assert f"bg-{colour}-100" in show(obj)
    with translation.override("pt-br"):
        monkeypatch.setattr(translation.trans_real._active, "value", Translated())
        shown = show(obj)
    assert "«" in shown
    assert f"bg-{colour}-100" in shown


def test_state_has_colour_in_list_and_page():
    task, browser = TaskFactory(), client("Auditor")
    for address in ("/admin/groups/task/", f"/admin/groups/task/{task.pk}/change/"):
        content = browser.get(address).content.decode()
        assert re.search(r'<span class="[^"]*bg-blue-100[^"]*"[^>]*>\s*Open\s*</span>', content), address
