"""Members in the back office. Managers edit members; only administrators grant rights."""

import pytest
from django.contrib.auth.models import Group as Role
from django.urls import reverse

from groups.models import Event, Member
from groups.services.members import update_member
from tests.support.admin import client, client_of, links, page_text, staff
from tests.support.factories.groups import MemberFactory, MembershipFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/member/"


def page(member, name: str = "change") -> str:
    return reverse(f"admin:groups_member_{name}", args=[member.pk])


def form(member=None, **changes) -> dict:
    values = {"display_name": "Ana", "email": "ana@example.org", "trust_score": 10}
    if member:
        values = {name: getattr(member, name) for name in values}
    return values | changes


@pytest.fixture
def community():
    return client("Community Manager")


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana", email="ana@example.org", trust_score=120)


class TestAddAndEdit:
    def test_add_calls_service(self, community):
        response = community.post(f"{LIST}add/", form(), follow=True)
        assert "was added successfully" in page_text(response)
        member = Member.objects.get(email="ana@example.org")
        assert not member.has_usable_password()
        assert Event.objects.get(type="member.created").actor.display_name == "Community Manager"

    def test_taken_email_is_field_error_and_keeps_input(self, community, ana):
        response = community.post(f"{LIST}add/", form(display_name="Other", email="ANA@example.org"))
        assert response.status_code == 200
        assert "Another member has this e-mail." in response.context["adminform"].form.errors["email"]
        assert "ANA@example.org" in page_text(response)
        assert 'value="Other"' in page_text(response)
        assert "successfully" not in page_text(response)

    @pytest.mark.seed("site bad input in the back office")
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"trust_score": -1}, "trust_score"),
            ({"trust_score": 10**30}, "trust_score"),
            ({"trust_score": "many"}, "trust_score"),
            ({"display_name": "A\x00na"}, "display_name"),
            ({"display_name": "x" * 300}, "display_name"),
            ({"email": "no address"}, "email"),
        ],
    )
    def test_invalid_values_are_field_errors(self, community, ana, changes, field):
        response = community.post(page(ana), form(ana, **changes))
        assert response.status_code == 200
        assert field in response.context["adminform"].form.errors
        ana.refresh_from_db()
        assert (ana.display_name, ana.trust_score) == ("Ana", 120)

    def test_edit_records_event_and_history(self, community, ana):
        community.post(page(ana), form(ana, trust_score=200))
        ana.refresh_from_db()
        assert ana.trust_score == 200
        assert Event.objects.get(type="member.changed").payload["changed"] == {"trust_score": [120, 200]}
        history = page_text(community.get(page(ana, "history")))
        assert "120" in history
        assert "200" in history

    def test_service_error_is_shown_on_page(self, community, ana, monkeypatch):
        """The e-mail is taken between the form's check and the write."""
        from groups.admin import members

        real = members.update_member

        def overtaken(**values):
            MemberFactory(email="new@example.org")
            return real(**values)

        monkeypatch.setattr(members, "update_member", overtaken)
        response = community.post(page(ana), form(ana, email="new@example.org"))
        assert response.status_code == 200
        assert "Another member has this e-mail." in page_text(response)
        assert "new@example.org" in page_text(response)
        assert "successfully" not in page_text(response)
        ana.refresh_from_db()
        assert ana.email == "ana@example.org"


class TestRights:
    """Staff cannot grant rights beyond their own."""

    @pytest.mark.parametrize("role", ["Mission Manager", "Community Manager", "Auditor", "Delivery Lead"])
    def test_only_administrators_grant_rights(self, role, ana):
        rights = {"is_staff": "on", "is_superuser": "on", "groups": [Role.objects.get(name="Administrator").pk]}
        client(role).post(page(ana), form(ana) | rights)
        ana.refresh_from_db()
        assert not (ana.is_staff)
        assert not (ana.is_superuser)
        assert not (ana.groups.exists())

    @pytest.mark.parametrize("role", ["Mission Manager", "Community Manager"])
    def test_staff_cannot_raise_own_rights(self, role):
        me = staff(role)
        rights = {"is_superuser": "on", "groups": [Role.objects.get(name="Administrator").pk]}
        client_of(me).post(page(me), form(me) | rights)
        me.refresh_from_db()
        assert not me.is_superuser
        assert [group.name for group in me.groups.all()] == [role]

    def test_manager_cannot_grant_rights_to_new_member(self, community):
        rights = {"is_staff": "on", "is_superuser": "on", "groups": [Role.objects.get(name="Administrator").pk]}
        community.post(f"{LIST}add/", form() | rights)
        member = Member.objects.get(email="ana@example.org")
        assert not (member.is_staff)
        assert not (member.is_superuser)
        assert not (member.groups.exists())

    def test_manager_cannot_change_staff_account(self, community):
        chief = staff("Administrator", is_superuser=True)
        colleague = staff("Auditor")
        for account in (chief, colleague):
            before = Member.objects.get(pk=account.pk)
            password = {"password1": "tr0ub4dor&3-xyz", "password2": "tr0ub4dor&3-xyz", "usable_password": "true"}
            assert community.post(page(account, "password"), password).status_code == 403
            assert community.post(page(account), form(account, email="mine@example.org")).status_code == 403
            assert community.post(page(account, "deactivate")).status_code == 403
            bulk = {"action": "deactivate", "_selected_action": [account.pk], "apply": "1"}
            assert "Only an administrator" in page_text(community.post(LIST, bulk))
            after = Member.objects.get(pk=account.pk)
            assert (after.password, after.email, after.is_active) == (before.password, before.email, True)

    def test_administrator_sets_roles(self, ana):
        administrator = client("Administrator")
        roles = [Role.objects.get(name="Auditor").pk]
        administrator.post(page(ana), form(ana) | {"is_staff": "on", "groups": roles})
        ana.refresh_from_db()
        assert ana.is_staff
        assert [role.name for role in ana.groups.all()] == ["Auditor"]
        assert Event.objects.get(type="member.roles_changed").payload["changed"] == {"roles": ["", "Auditor"]}

    def test_role_administrator_cannot_change_superuser(self):
        chief = staff(is_superuser=True)
        administrator = client("Administrator")
        assert administrator.post(page(chief, "deactivate")).status_code == 403
        me = staff("Administrator", email="me@example.org")
        client_of(me).post(page(me), form(me) | {"is_staff": "on", "is_superuser": "on"})
        me.refresh_from_db()
        assert not me.is_superuser

    def test_revert_cannot_restore_rights(self, community, ana):
        chief = staff(is_superuser=True)
        update_member(member=ana, actor=chief, is_staff=True, is_superuser=True)
        update_member(member=ana, actor=chief, is_staff=False, is_superuser=False)
        entry = ana.history.order_by("-pgh_id").first()
        address = reverse("admin:groups_member_revert", args=[ana.pk, entry.pgh_id])
        assert "Revert" not in page_text(community.get(page(ana, "history")))
        assert community.post(address).status_code == client("Administrator").post(address).status_code == 403
        ana.refresh_from_db()
        assert not (ana.is_staff)
        assert not (ana.is_superuser)
        client_of(chief).post(address)
        ana.refresh_from_db()
        assert ana.is_superuser

    def test_system_member_is_read_only(self):
        system = Member.objects.system()
        chief = client_of(staff(is_superuser=True))
        assert chief.post(page(system, "deactivate")).status_code == 403
        assert chief.post(page(system), form(system, display_name="Root")).status_code == 403

    def test_list_omits_system_member(self, ana):
        system = Member.objects.system()
        chief = client_of(staff(is_superuser=True))
        listed = {member.pk for member in chief.get(LIST).context["cl"].result_list}
        assert ana.pk in listed
        assert system.pk not in listed
        for name in ("change", "events", "history"):
            assert chief.get(page(system, name)).status_code == 200


class TestActions:
    def test_set_password_changes_password(self, community, ana):
        password = {"password1": "tr0ub4dor&3-xyz", "password2": "tr0ub4dor&3-xyz", "usable_password": "true"}
        response = community.post(page(ana, "password"), password, follow=True)
        assert "password set" in page_text(response)
        ana.refresh_from_db()
        assert ana.check_password("tr0ub4dor&3-xyz")

    def test_weak_password_is_rejected(self, community, ana):
        response = community.post(page(ana, "password"), {"password1": "12345", "password2": "12345"})
        assert "too short" in page_text(response)
        ana.refresh_from_db()
        assert not ana.has_usable_password()

    def test_deactivate_and_activate(self, community, ana):
        community.post(page(ana, "deactivate"))
        ana.refresh_from_db()
        assert not ana.is_active
        community.post(page(ana, "activate"))
        ana.refresh_from_db()
        assert ana.is_active

    def test_deactivate_rejects_own_account(self):
        me = staff(is_superuser=True)
        assert "You cannot deactivate yourself" in page_text(client_of(me).post(page(me, "deactivate")))


class TestPages:
    @pytest.mark.parametrize("rows", [1, 12])
    def test_list_query_count_is_constant(self, community, rows, django_assert_num_queries):
        for _ in range(rows):
            MembershipFactory()
        community.get(LIST)
        # Session, user, permissions twice, project roles, roles to filter by, count, keys, rows, saved views.
        with django_assert_num_queries(12):
            community.get(LIST)

    def test_every_tab_opens(self, community, ana):
        MembershipFactory(member=ana, group__name="Garden")
        for name in ("change", "memberships", "tasks", "events", "history"):
            assert community.get(page(ana, name)).status_code == 200
        assert "Garden" in page_text(community.get(page(ana, "memberships")))

    def test_unknown_member_redirects_with_message(self, community):
        for odd in ("nobody", "1", "00000000-0000-4000-8000-000000000000"):
            for tail in ("change/", "memberships/", "history/", "deactivate/"):
                response = community.get(f"{LIST}{odd}/{tail}", follow=True)
                assert response.status_code == 200
                assert "exist" in page_text(response)

    def test_search_finds_by_email_name_and_stable_id(self, community, ana):
        MemberFactory(display_name="Bob")
        for term in ("ana@", "ANA", ana.member_id):
            assert links(community.get(LIST, {"q": term})).count(page(ana)) >= 1

    def test_empty_result_shows_what_to_do(self, community):
        assert "Nothing matches" in page_text(community.get(LIST, {"q": "zzzz"}))

    def test_picker_shows_stable_ids_of_namesakes(self, community, ana):
        MemberFactory(display_name="Ana", email="second@example.org")
        query = {"app_label": "groups", "model_name": "membership", "field_name": "member", "term": "ana"}
        texts = [row["text"] for row in community.get("/admin/autocomplete/", query).json()["results"]]
        assert sorted(text.split(" · ")[2] for text in texts) == ["ana@example.org", "second@example.org"]
        assert community.get("/admin/autocomplete/", query | {"page": "abc"}).status_code == 200


class TestSearchEverything:
    def test_global_search_finds_members_missions_and_tasks(self, community, ana):
        MembershipFactory(member=ana, group__name="Anatomy class")
        answer = page_text(community.get("/admin/search/", {"s": "ana", "extended": "1"}))
        assert page(ana) in answer
        assert "Anatomy class" in answer
        assert "ana@example.org" in answer

    def test_global_search_respects_permissions(self, ana):
        answer = page_text(client().get("/admin/search/", {"s": "ana", "extended": "1"}))
        assert page(ana) not in answer
        assert "ana@example.org" not in answer

    @pytest.mark.seed("site bad input in the back office")
    @pytest.mark.parametrize("query", [{"page": "abc"}, {"page": "99"}, {"s": "x" * 5000}, {"s": "' & :*"}])
    def test_invalid_searches_return_no_error(self, community, query):
        assert community.get("/admin/search/", {"s": "ana", "extended": "1"} | query).status_code == 200
