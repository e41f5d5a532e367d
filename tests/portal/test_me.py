"""The member's own profile: contents and editing."""

import pytest
from django.utils import timezone

from groups.models import CommunityMember, Member
from groups.services.directory import ban, remove_entry, suspend
from missionsite.portal.views import STATUS_DESCRIPTIONS
from tests.portal.helpers import entry
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
EDIT = {"name": "Ana Lima", "primary_role": "founder", "organization": "", "country": "Chile"}


def text(answer) -> str:
    return answer.content.decode()


def test_profile_shows_entry_and_inviter(as_member):
    inviter = entry(name="Inês")
    ana = entry(name="Ana", invited_by=inviter, reputation_score=1125, github_username="ana")
    page = text(as_member(ana).get("/me/"))
    for words in (ana.member_id, "1,125 points", "Experienced", "Inês", inviter.member_id, "not verified", "Developer"):
        assert words in page
    assert ana.person.email in page
    assert ana.telegram_id in page


def test_profile_shows_verified_github(as_member):
    ana = entry(github_username="ana", github_verified=True, github_verified_at=timezone.now())
    assert '<span class="tag good">verified' in text(as_member(ana).get("/me/"))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("not_member", "Not a member"),
        ("pending", "Waiting for approval"),
        ("active", "Active"),
        ("suspended", "Suspended"),
        ("banned", "Banned"),
    ],
)
def test_profile_shows_status(as_member, status, words):
    page = text(as_member(entry(status=status)).get("/me/"))
    assert f"<strong>{words}</strong>" in page
    assert str(STATUS_DESCRIPTIONS[status]) in page


def test_removed_entry_is_shown_and_not_editable(as_member):
    ana = entry(name="Ana")
    remove_entry(actor=Member.objects.system(), entry=ana)
    browser = as_member(ana)
    assert "<strong>Removed</strong>" in text(browser.get("/me/"))
    assert browser.post("/me/edit/", EDIT)["Location"] == "/me/"
    assert CommunityMember.objects.get(pk=ana.pk).name == "Ana"


@pytest.mark.parametrize("change", [suspend, ban])
def test_approval_is_shown_at_once(as_member, change):
    ana = entry()
    browser = as_member(ana)
    assert browser.get("/directory/").status_code == 200
    change(actor=Member.objects.system(), entry=ana)
    assert browser.get("/directory/").status_code == 403
    assert "<strong>Active</strong>" not in text(browser.get("/me/"))


def test_account_without_entry_gets_explanation(client):
    person = MemberFactory(display_name="Mona")
    client.force_login(person)
    page = text(client.get("/me/"))
    assert "has no directory entry" in page
    assert "/admin/" not in page
    assert client.get("/me/edit/")["Location"] == "/me/"


def test_staff_profile_links_to_back_office(client):
    client.force_login(MemberFactory(is_staff=True))
    assert '<a class="button" href="/admin/">' in text(client.get("/me/"))


def test_edit_records_history(as_member):
    ana = entry(name="Ana", organization="Casa", country="Brasil")
    answer = as_member(ana).post("/me/edit/", EDIT, follow=True)
    assert "Your profile was saved." in text(answer)
    ana.refresh_from_db()
    assert (ana.name, ana.primary_role, ana.organization, ana.country) == ("Ana Lima", "founder", None, "Chile")
    assert ana.history.exists()


def test_forged_form_cannot_change_other_fields(as_member):
    ana = entry(github_username="ana", telegram_username="ana_s", status="pending")
    kept = (
        *("member_id", "telegram_id", "telegram_username", "github_username", "github_verified", "status"),
        *("reputation_score", "invited_by_id", "person_id", "deleted_at", "registration_fee_paid"),
    )
    before = CommunityMember.objects.values(*kept).get(pk=ana.pk)
    made_up = dict.fromkeys(kept, "1") | {"status": "active", "github_verified": "on", "member_id": "#1"}
    assert as_member(ana).post("/me/edit/", EDIT | made_up).status_code == 302
    assert CommunityMember.objects.values(*kept).get(pk=ana.pk) == before
    assert CommunityMember.objects.get(pk=ana.pk).name == "Ana Lima"


def test_invalid_value_is_reported_and_kept(as_member):
    ana = entry(name="Ana")
    page = text(as_member(ana).post("/me/edit/", EDIT | {"name": " ", "country": "Chile"}))
    assert 'href="#id_name"' in page
    assert 'value="Chile"' in page
    ana.refresh_from_db()
    assert (ana.name, ana.country) == ("Ana", None)


def test_member_edits_only_own_entry(as_member):
    ana, bob = entry(name="Ana"), entry(name="Bob")
    as_member(bob).post("/me/edit/", EDIT | {"id": str(ana.pk), "entry": str(ana.pk), "person": str(ana.person_id)})
    assert CommunityMember.objects.get(pk=ana.pk).name == "Ana"
