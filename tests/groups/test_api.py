"""The API of missions. Alice and Bob are members, Carol is staff; each uses their own token."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from groups.models import Event, Member, Membership
from groups.services.groups import archive_group
from groups.services.memberships import join_mission
from tests.support.factories.groups import MemberFactory, MembershipFactory, MissionFactory, StaffFactory, TaskFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


def grant(member, *codenames: str) -> None:
    member.user_permissions.add(*Permission.objects.filter(codename__in=codenames, content_type__app_label="groups"))


def events_of_missions(**by):
    """The events that are about a mission, in their order."""
    return Event.objects.filter(group__isnull=False, **by).order_by("id")


def post(client, address: str, **body):
    return client.post(address, body, content_type="application/json")


@pytest.fixture
def alice():
    return MemberFactory(display_name="Alice", trust_score=100)


@pytest.fixture
def mission():
    return MissionFactory(name="Garden", min_trust_score=50)


class TestMe:
    def test_me_shows_member_and_token(self, alice):
        answer = api_client(alice, "profile:read").get("/api/me")
        assert answer.status_code == 200
        assert answer.json() | {"token_expires_at": None} == {
            "id": str(alice.pk),
            "member_id": alice.member_id,
            "display_name": "Alice",
            "email": alice.email,
            "trust_score": 100,
            "is_staff": False,
            "token_name": "test",
            "token_scopes": ["profile:read"],
            "token_expires_at": None,
        }


class TestList:
    @pytest.mark.seed("000 list and detail of missions")
    def test_list_shows_counts_and_eligibility(self, alice, mission):
        MembershipFactory(group=mission, member=alice)
        MembershipFactory(group=mission)
        TaskFactory(group=mission)
        high = MissionFactory(name="Tower", min_trust_score=101)
        archived = MissionFactory(name="Old")
        archive_group(actor=Member.objects.system(), group=archived)
        items = api_client(alice).get("/api/missions").json()["items"]
        assert [(row["stable_id"], row["member_count"], row["task_count"]) for row in items] == [
            (mission.stable_id, 2, 1),
            (high.stable_id, 0, 0),
        ]
        assert [(row["is_member"], row["is_eligible"]) for row in items] == [(True, True), (False, False)]

    def test_pages_contain_each_mission_once_in_order(self, alice):
        for number in range(23):
            # Equal names and thresholds, and some without one, which sort last.
            MissionFactory(name=f"Mission {number % 4}", min_trust_score=[0, 10, None][number % 3])
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM get_active_missions(%s, %s)", [alice.pk, alice.trust_score])
            expected = [str(id_) for (id_,) in cursor.fetchall()]
        client, address, seen, pages = api_client(alice), "/api/missions?limit=5", [], 0
        while address:
            answer = client.get(address)
            page = answer.json()
            assert (f'<{page["next"]}>; rel="next"' == answer.headers.get("Link")) == bool(page["next"])
            seen += [row["id"] for row in page["items"]]
            address, pages = page["next"], pages + 1
        assert seen == expected
        assert pages == 5

    @pytest.mark.parametrize("limit", [1, 2, 3, 7])
    @pytest.mark.parametrize("eligible", ["true", "false"])
    def test_eligible_filter_splits_the_list(self, alice, limit, eligible):
        for number in range(12):
            MissionFactory(min_trust_score=[99, 100, 101, None][number % 4])
        client, address, seen = api_client(alice), f"/api/missions?limit={limit}&eligible={eligible}", []
        while address:
            page = client.get(address).json()
            seen += page["items"]
            address = page["next"]
        assert {row["is_eligible"] for row in seen} == {eligible == "true"}
        assert len(seen) == {"true": 9, "false": 3}[eligible]

    @pytest.mark.parametrize(
        ("typed", "found"),
        [("gar", ["Garden"]), ("GARDEN", ["Garden"]), ("arden", []), ("%", ["% off"]), ("_", []), ("\\", [])],
    )
    def test_search_matches_beginning_of_name(self, alice, mission, typed, found):
        MissionFactory(name="% off")
        items = api_client(alice).get("/api/missions", {"q": typed}).json()["items"]
        assert [row["name"] for row in items] == found

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ({"limit": "0"}, "query/limit"),
            ({"limit": "201"}, "query/limit"),
            ({"limit": "9" * 40}, "query/limit"),
            ({"limit": "many"}, "query/limit"),
            ({"eligible": "perhaps"}, "query/eligible"),
            ({"cursor": "nonsense"}, "query/cursor"),
            ({"cursor": "a" * 3000}, "query/cursor"),
        ],
    )
    def test_invalid_parameter_is_named(self, alice, query, pointer):
        answer = api_client(alice).get("/api/missions", query)
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]

    def test_cursor_of_another_filter_is_rejected(self, alice):
        MissionFactory.create_batch(2)
        client = api_client(alice)
        cursor = client.get("/api/missions?limit=1").json()["next"].partition("cursor=")[2]
        assert client.get(f"/api/missions?limit=1&cursor={cursor}").status_code == 200
        answer = client.get(f"/api/missions?limit=1&eligible=true&cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_rejected")

    def test_query_count_is_constant(self, alice, django_assert_max_num_queries):
        client = api_client(alice)
        for _ in range(2):
            MissionFactory.create_batch(10)
            with django_assert_max_num_queries(14):
                client.get("/api/missions")


class TestDetail:
    @pytest.mark.seed("000 list and detail of missions")
    def test_mission_found_by_stable_id_and_uuid(self, alice, mission):
        client = api_client(alice)
        by_stable_id, by_uuid = (client.get(f"/api/missions/{key}") for key in (mission.stable_id, mission.pk))
        assert by_stable_id.json() == by_uuid.json()
        assert by_uuid.json()["name"] == "Garden"

    @pytest.mark.parametrize("key", ["FE-M-99999", "00000000-0000-0000-0000-000000000009", "nope", "FE-M-1", "💥"])
    def test_unknown_mission_returns_404_with_message(self, alice, key):
        answer = api_client(alice).get(f"/api/missions/{key}")
        assert answer.status_code == 404
        assert "There is no mission" in answer.json()["detail"]

    def test_colony_returns_404(self, alice, mission):
        client = api_client(alice)
        assert client.get(f"/api/missions/{mission.parent_group.stable_id}").status_code == 404
        assert post(client, f"/api/missions/{mission.parent_group.stable_id}/join").status_code == 404


class TestMembers:
    def rows(self, client, mission) -> list[dict]:
        return client.get(f"/api/missions/{mission.pk}/members").json()["items"]

    def test_members_match_sql_function(self, mission):
        MembershipFactory.create_batch(7, group=mission)
        MembershipFactory(group=mission, ended=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT member_stable_id, email, role FROM get_mission_members(%s)", [mission.pk])
            expected = cursor.fetchall()
        carol = StaffFactory(is_superuser=True)
        client, address, seen = api_client(carol), f"/api/missions/{mission.stable_id}/members?limit=3", []
        while address:
            page = client.get(address).json()
            seen += page["items"]
            address = page["next"]
        assert [(row["member_stable_id"], row["email"], row["role"]) for row in seen] == expected
        assert len(seen) == 7

    def test_member_sees_other_members_without_email(self, alice, mission):
        other = MembershipFactory(group=mission).member
        MembershipFactory(group=mission, member=alice)
        rows = self.rows(api_client(alice), mission)
        assert {row["member_stable_id"] for row in rows} == {alice.member_id, other.member_id}
        assert {row["email"] for row in rows} == {None}

    @pytest.mark.parametrize("was_there", [False, True])
    def test_non_member_cannot_list_members(self, alice, mission, was_there):
        MembershipFactory(group=mission)
        if was_there:
            MembershipFactory(group=mission, member=alice, ended=True)
        answer = api_client(alice).get(f"/api/missions/{mission.pk}/members")
        assert answer.status_code == 403
        assert "items" not in answer.json()

    def test_staff_see_email_only_with_view_member(self, mission):
        member = MembershipFactory(group=mission).member
        carol = StaffFactory()
        grant(carol, "view_mission", "view_membership")
        assert [row["email"] for row in self.rows(api_client(carol), mission)] == [None]
        grant(carol, "view_member")
        assert [row["email"] for row in self.rows(api_client(carol), mission)] == [member.email]


class TestJoinAndLeave:
    @pytest.mark.seed("000 join and leave routes")
    def test_member_joins_leaves_and_rejoins(self, alice, mission):
        client, address = api_client(alice), f"/api/missions/{mission.stable_id}"
        first = post(client, f"{address}/join", reason="curious")
        assert first.status_code == 201
        assert (first.json()["member"], first.json()["mission"]) == (alice.member_id, mission.stable_id)
        left = post(client, f"{address}/leave")
        assert (left.status_code, left.json()["status"], left.json()["id"]) == (200, "left", first.json()["id"])
        again = post(client, f"{address}/join")
        assert again.json()["id"] != first.json()["id"]
        assert Membership.objects.filter(member=alice, group=mission).count() == 2
        assert list(events_of_missions(member=alice).values_list("type", "actor")) == [
            ("membership.created", alice.pk),
            ("membership.ended", alice.pk),
            ("membership.created", alice.pk),
        ]
        assert events_of_missions(member=alice).first().payload["reason"] == "curious"

    def test_body_is_optional(self, alice, mission):
        client = api_client(alice)
        assert client.post(f"/api/missions/{mission.pk}/join", content_type="application/json").status_code == 201

    def test_history_records_token_owner(self, alice, mission):
        post(api_client(alice), f"/api/missions/{mission.pk}/join")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.metadata ->> 'user' FROM memberships_history h"
                " JOIN pghistory_context c ON c.id = h.pgh_context_id"
            )
            assert cursor.fetchall() == [(str(alice.pk),)]

    def test_join_rejects_low_trust_with_missing_points(self, mission):
        answer = post(api_client(MemberFactory(trust_score=20)), f"/api/missions/{mission.pk}/join")
        assert (answer.status_code, answer.json()["code"]) == (409, "trust_too_low")
        assert "30 too few" in answer.json()["detail"]
        assert not Membership.objects.exists()

    def test_join_rejects_current_member(self, alice, mission):
        client = api_client(alice)
        post(client, f"/api/missions/{mission.pk}/join")
        answer = post(client, f"/api/missions/{mission.pk}/join")
        assert (answer.status_code, answer.json()["code"]) == (409, "already_member")
        assert answer.json()["errors"][0]["pointer"] == "/member"
        assert events_of_missions(member=alice).count() == 1

    def test_join_rejects_archived_mission(self, alice, mission):
        archive_group(actor=Member.objects.system(), group=mission)
        assert post(api_client(alice), f"/api/missions/{mission.pk}/join").status_code == 404
        carol = StaffFactory(is_superuser=True, trust_score=500)
        answer = post(api_client(carol), f"/api/missions/{mission.pk}/join")
        assert (answer.status_code, answer.json()["code"]) == (409, "mission_archived")

    def test_leave_rejects_non_member(self, alice, mission):
        answer = post(api_client(alice), f"/api/missions/{mission.pk}/leave")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_a_member")

    @pytest.mark.parametrize("step", ["join", "leave"])
    def test_member_cannot_name_another_member(self, alice, mission, step):
        bob = MemberFactory(trust_score=100)
        if step == "leave":
            join_mission(actor=bob, member=bob, mission=mission)
        answer = post(api_client(alice), f"/api/missions/{mission.pk}/{step}", member=bob.member_id)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
        assert Membership.objects.active().filter(member=bob).exists() == (step == "leave")

    def test_member_may_name_themselves(self, alice, mission):
        answer = post(api_client(alice), f"/api/missions/{mission.pk}/join", member=alice.member_id)
        assert answer.status_code == 201

    def test_staff_with_permission_add_and_remove_member(self, alice, mission):
        carol = StaffFactory()
        grant(carol, "view_mission", "manage_memberships")
        client = api_client(carol)
        assert post(client, f"/api/missions/{mission.pk}/join", member=alice.member_id).status_code == 201
        assert post(client, f"/api/missions/{mission.pk}/leave", member=alice.member_id).status_code == 200
        assert set(events_of_missions().values_list("actor", "member")) == {(carol.pk, alice.pk)}

    @pytest.mark.rule("NoSuchMember")
    def test_unknown_member_is_rejected_at_field(self, mission):
        client = api_client(StaffFactory(is_superuser=True))
        answer = post(client, f"/api/missions/{mission.pk}/join", member="FE-P-99999")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/member")


OPERATIONS = [
    ("get", "/api/me", "profile:read", []),
    ("get", "/api/missions", "missions:read", ["view_mission"]),
    ("get", "/api/missions/{key}", "missions:read", ["view_mission"]),
    ("get", "/api/missions/{key}/members", "members:read", ["view_mission", "view_membership"]),
    ("post", "/api/missions/{key}/join", "missions:write", ["view_mission", "manage_memberships"]),
    ("post", "/api/missions/{key}/leave", "missions:write", ["view_mission", "manage_memberships"]),
]


@pytest.mark.seed("site permissions of the API")
def test_matrix_covers_every_operation():
    from missionsite.api import api

    described = {
        (method.lower(), f"/api{address}", operation.access.scope, operation.access.staff)
        for address, operation in api.operations()
        for method in operation.methods
        # Operations of projects need a project role; they and engagement's are in tests/site/matrix.py.
        if not operation.access.checks_rights
        and not address.startswith(("/engagement/", "/join-requests"))
        # Those of join requests are in tests/groups/test_join_requests_api.py.
        and not address.endswith(("/requests", "/invitations", "/waiting-list"))
    }
    stated = {
        (method, address, scope, tuple(f"groups.{right}" for right in rights))
        for method, address, scope, rights in OPERATIONS
    }
    assert described == stated


@pytest.mark.parametrize(("method", "address", "scope", "rights"), OPERATIONS)
class TestMatrix:
    """Every operation by type of caller: missing rights are rejected, sufficient ones accepted."""

    def call(self, client, method, address, mission):
        return getattr(client, method)(address.format(key=mission.pk), content_type="application/json").status_code

    def test_request_without_token_is_rejected(self, client, mission, method, address, scope, rights):
        assert self.call(client, method, address, mission) == 401

    def test_token_without_scope_is_rejected(self, alice, mission, method, address, scope, rights):
        others = {"profile:read", "missions:read", "missions:write", "members:read"} - {scope}
        assert self.call(api_client(alice, *others), method, address, mission) == 403

    def test_member_with_scope_is_accepted(self, alice, mission, method, address, scope, rights):
        if address.endswith(("leave", "members")):
            MembershipFactory(member=alice, group=mission)
        assert self.call(api_client(alice, scope), method, address, mission) in (200, 201)

    @pytest.mark.seed("site permissions of the API")
    def test_staff_without_permission_is_rejected(self, mission, method, address, scope, rights):
        for missing in rights:
            carol = StaffFactory(trust_score=100)
            grant(carol, *(right for right in rights if right != missing))
            assert self.call(api_client(carol, scope), method, address, mission) == 403

    def test_staff_with_permissions_is_accepted(self, mission, method, address, scope, rights):
        carol = StaffFactory(trust_score=100)
        grant(carol, *rights)
        if address.endswith("leave"):
            MembershipFactory(member=carol, group=mission)
        assert self.call(api_client(carol, scope), method, address, mission) in (200, 201)
        assert (
            self.call(api_client(carol, *{"missions:read", "profile:read"} - {scope}), method, address, mission) == 403
        )

    def test_deactivated_member_is_rejected(self, alice, mission, method, address, scope, rights):
        client = api_client(alice, scope)
        alice.is_active = False
        alice.save()
        assert self.call(client, method, address, mission) == 401


@pytest.mark.seed("site permissions of the API")
def test_member_cannot_see_or_change_others_data(alice, mission):
    """Every response Alice can get while Bob is in a mission is searched for Bob's data."""
    bob = MemberFactory(display_name="Bob-the-unseen", trust_score=987654321)
    membership = join_mission(actor=bob, member=bob, mission=mission)
    client = api_client(alice)
    answers = [
        getattr(client, method)(address.format(key=mission.pk), content_type="application/json")
        for method, address, *_ in OPERATIONS
        if not address.endswith("join")
    ]
    secrets = (bob.email, bob.display_name, bob.member_id, str(bob.pk), str(membership.pk), "987654321")
    assert not [secret for secret in secrets for answer in answers if secret in answer.content.decode()]
    membership.refresh_from_db()
    assert membership.is_active
