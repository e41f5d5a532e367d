"""One account per role, whose password works and is known once."""

import pytest
from django.contrib.auth import authenticate, get_user_model

from fallback.selectors.rights import Right, Rights
from missionsite.demo import accounts
from missionsite.roles import ROLES
from tests.support.factories.fallback import ProjectFactory
from tests.support.factories.groups import MissionFactory

pytestmark = pytest.mark.django_db


def test_every_role_gets_an_account_that_can_log_in():
    created = accounts.create_missing()
    assert [account.role for account in created] == [*ROLES, "Project Member", "Member"]
    for account in created:
        member = authenticate(username=account.email, password=account.password)
        assert member.is_staff == (account.role != "Member")
        assert member.is_superuser == (account.role == "Administrator")
        assert [group.name for group in member.groups.all()] == [role for role in ROLES if role == account.role]


def test_the_project_member_has_roles_in_projects_only():
    ours = ProjectFactory(slug="trust-builder")
    ProjectFactory(slug="another")
    accounts.create_missing()
    member = get_user_model().objects.get(email="project.member@demo.example")
    assert not member.get_all_permissions()
    assert [project.pk for project in Rights(member).projects(Right.REVIEW)] == [ours.pk]


def test_member_account_sees_the_pages_of_members(client):
    mission = MissionFactory(min_trust_score=0)
    [account] = [each for each in accounts.create_missing() if each.role == "Member"]
    assert (account.email, account.password != "") == ("member@demo.example", True)
    form = {"username": account.email, "password": account.password}
    assert client.post("/login/", form)["Location"] == "/me/"
    own = client.get("/me/")
    assert "Demo Member" in own.content.decode()
    assert own.context["status"] == "active"
    assert "Demo Member" in client.get("/directory/").content.decode()
    assert client.get("/admin/").status_code == 302
    assert mission.memberships.get().member.email == account.email


def test_a_second_run_leaves_the_accounts_as_they_are():
    accounts.create_missing()
    passwords = set(get_user_model().objects.values_list("email", "password"))
    assert accounts.create_missing() == []
    assert set(get_user_model().objects.values_list("email", "password")) == passwords


def test_a_missing_account_alone_is_made_again():
    accounts.create_missing()
    get_user_model().objects.filter(email="auditor@demo.example").update(email="renamed@demo.example")
    assert [account.email for account in accounts.create_missing()] == ["auditor@demo.example"]


def test_new_passwords_replace_the_old_ones():
    old = {account.email: account.password for account in accounts.create_missing()}
    new = {account.email: account.password for account in accounts.set_new_passwords()}
    assert set(new) == set(old)
    for email, password in new.items():
        assert authenticate(username=email, password=password)
        assert not authenticate(username=email, password=old[email])


def test_new_passwords_also_create_what_is_missing():
    assert len(accounts.set_new_passwords()) == len(accounts.KINDS)
