"""Changesets, events and what services record."""

from importlib import import_module
from pkgutil import walk_packages

import pytest
from django.db import connection, transaction

import missionsite.common
from groups.models import Event, Group, GroupHistory, Member
from groups.models.history import CommunityMemberHistory, MembershipHistory
from groups.services.groups import update_group
from missionsite.common.audit.context import Origin, changeset, in_changeset, set_audit_context
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.errors import NotAllowed
from missionsite.common.passwords import set_password
from missionsite.common.tokens import create_token, revoke_token
from missionsite.common.transactions import service
from tests.groups.import_files import ANA, BRUNO, FULL, bring
from tests.support.admin import client, client_of
from tests.support.factories.groups import MemberFactory, MissionFactory, StaffFactory
from tests.support.factories.tokens import api_client, make_token

pytestmark = pytest.mark.django_db


def changesets(mission: Group) -> list:
    """Return the changeset of each version of a mission but the first, oldest first."""
    return list(
        GroupHistory.objects.filter(pgh_obj=mission, pgh_label="update")
        .order_by("pgh_id")
        .values_list("pgh_context_id", flat=True)
    )


def rename(mission: Group, actor: Member, name: str) -> None:
    update_group(actor=actor, group=mission, name=name)


def test_service_call_is_changeset_with_its_actor():
    mission, actor = MissionFactory(), MemberFactory()
    rename(mission, actor, "First")
    rename(mission, actor, "Second")
    first, second = changesets(mission)
    assert len({first, second, None}) == 3
    version = GroupHistory.objects.select_related("pgh_context").get(pgh_context_id=first)
    assert version.pgh_context.metadata == {"user": str(actor.pk)}


def test_job_is_one_changeset():
    mission, actor = MissionFactory(), MemberFactory()

    @in_changeset
    def rename_twice() -> str:
        rename(mission, actor, "First")
        rename(mission, actor, "Second")
        return "done"

    assert rename_twice() == "done"
    assert len(set(changesets(mission))) == 1
    version = GroupHistory.objects.select_related("pgh_context").filter(pgh_context_id=changesets(mission)[0]).first()
    assert version.pgh_context.metadata == {"job": "tests.rename_twice", "user": str(actor.pk)}


def test_changeset_inside_another_belongs_to_it():
    with changeset(job="outer") as outer, changeset(job="inner") as inner:
        assert inner == outer


def test_inner_changeset_fills_in_missing_metadata():
    mission, actor = MissionFactory(), MemberFactory()
    with changeset(url="/join/", user=None), changeset(url="/other/"):
        rename(mission, actor, "Renamed")
    version = GroupHistory.objects.select_related("pgh_context").get(pgh_context_id=changesets(mission)[0])
    assert version.pgh_context.metadata == {"url": "/join/", "user": str(actor.pk)}


def settings_now() -> tuple:
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_actor_id()::text, audit_origin(), audit_reason(), audit_changeset_id()::text")
        return cursor.fetchone()


def test_audit_context_ends_with_its_service():
    outer, inner = MemberFactory(), MemberFactory()

    @service
    def change(*, actor: Member, reason: str) -> tuple:
        set_audit_context(actor, origin=Origin.FALLBACK, reason=reason)
        return settings_now()

    @service
    def change_twice(*, actor: Member) -> list[tuple]:
        set_audit_context(actor, reason="Outer")
        return [change(actor=inner, reason="Inner"), settings_now()]

    first, second = change_twice(actor=outer)
    assert first[:3] == (str(inner.pk), "fallback", "Inner")
    assert second[:3] == (str(outer.pk), "user", "Outer")
    assert settings_now()[:3] == (None, "system", "")


def test_audit_context_is_restored_after_error():
    outer, inner = MemberFactory(), MemberFactory()

    @service
    def fail(*, actor: Member) -> None:
        set_audit_context(actor, reason="Inner")
        raise NotAllowed

    @service
    def change(*, actor: Member) -> tuple:
        set_audit_context(actor, reason="Outer")
        with pytest.raises(NotAllowed):
            fail(actor=inner)
        return settings_now()

    assert change(actor=outer)[:3] == (str(outer.pk), "user", "Outer")


def test_changeset_ends_after_error():
    with pytest.raises(ZeroDivisionError), changeset() as first:
        raise ZeroDivisionError
    with changeset() as second:
        assert second != first


@pytest.mark.parametrize(("origin", "recorded"), [(None, "user"), (Origin.FALLBACK, "fallback")])
def test_triggers_see_audit_context(origin, recorded):
    actor = MemberFactory()
    with changeset() as number, transaction.atomic(), connection.cursor() as cursor:
        set_audit_context(actor, origin=origin, reason="Cleaning up")
        cursor.execute(
            "SELECT current_setting('app.actor_id'), current_setting('app.event_origin'),"
            " current_setting('app.reason'), current_setting('pghistory.context_id')"
        )
        assert cursor.fetchone() == (str(actor.pk), recorded, "Cleaning up", str(number))


def test_origin_of_system_member_is_system():
    with transaction.atomic(), connection.cursor() as cursor:
        set_audit_context(Member.objects.system())
        cursor.execute("SELECT current_setting('app.event_origin')")
        assert cursor.fetchone() == ("system",)


def test_event_without_link_goes_to_default_log():
    actor = MemberFactory()
    event = audit("template.created", actor=actor, template="hello", note="", changed={})
    assert Event.objects.get(pk=event.pk).payload == {"template": "hello"}
    assert event.actor == actor


def test_unchanged_edit_records_nothing():
    assert audit_changes("member.changed", actor=MemberFactory(), changed={}) is None
    assert not Event.objects.filter(type="member.changed").exists()


def test_system_member_is_created_once():
    assert Member.objects.system() == Member.objects.system()
    assert Member.objects.system().is_system


def test_tokens_are_recorded_with_actor():
    staff, owner = StaffFactory(), StaffFactory()
    token, _plaintext = make_token(owner, "missions:read", name="ci")
    revoke_token(actor=staff, token=token)
    events = Event.objects.filter(type__startswith="token.").order_by("id")
    assert [(event.type, event.actor, event.member, event.payload["name"]) for event in events] == [
        ("token.created", owner, owner, "ci"),
        ("token.revoked", staff, owner, "ci"),
    ]


@pytest.mark.parametrize(("password", "type_"), [("a b c", "member.password_set"), (None, "member.password_removed")])
def test_password_is_recorded_with_actor_and_not_itself(password, type_):
    staff, member = StaffFactory(), MemberFactory()
    set_password(actor=staff, member=member, password=password)
    event = Event.objects.get(type=type_)
    assert (event.actor, event.member, event.payload) == (staff, member, {})


@pytest.mark.parametrize("address", ["/me/password/", "/admin/password_change/"])
def test_own_change_of_password_is_recorded_once(address):
    member = StaffFactory(password="a long and odd one")
    form = {"old_password": "a long and odd one"} | dict.fromkeys(["new_password1", "new_password2"], "another odd one")
    browser, elsewhere = client_of(member), client_of(member)
    assert browser.post(address, form | {"old_password": "wrong"}).status_code == 200
    assert not Event.objects.filter(type__startswith="member.password").exists()
    assert browser.post(address, form).status_code == 302
    event = Event.objects.get(type__startswith="member.password")
    assert (event.type, event.actor, event.member, event.payload) == ("member.password_set", member, member, {})
    assert browser.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302
    member.refresh_from_db()
    assert member.check_password("another odd one")


def all_changesets(missions: list[Group]) -> set:
    """Return the changesets of the events and of the versions of these missions, without their creation."""
    versions = {number for mission in missions for number in changesets(mission)}
    return versions | set(Event.objects.filter(group__in=missions).values_list("changeset_id", flat=True))


def test_bulk_action_is_one_changeset():
    missions = [MissionFactory(), MissionFactory()]
    keys = [mission.pk for mission in missions]
    values = {"action": "archive", "_selected_action": keys, "apply": "1", "reason": "Over"}
    client("Mission Manager").post("/admin/groups/mission/", values)
    assert Event.objects.filter(group__in=missions, type="group.archived").count() == 2
    assert len(all_changesets(missions) - {None}) == 1
    assert None not in all_changesets(missions)


def test_api_request_is_changeset_of_token_owner():
    mission, member = MissionFactory(), MemberFactory()
    answer = api_client(member).post(f"/api/missions/{mission.stable_id}/join", content_type="application/json")
    assert answer.status_code == 201
    event = Event.objects.get(type="membership.created", group=mission)
    version = MembershipHistory.objects.select_related("pgh_context").get(pgh_obj__group=mission)
    assert event.changeset_id == version.pgh_context_id is not None
    assert event.actor == member


def test_import_is_one_changeset():
    actor = MemberFactory()
    bring(FULL + ANA + BRUNO, actor=actor)
    events = Event.objects.filter(type__startswith="member.", actor=actor)
    assert events.count() >= 2
    numbers = set(events.values_list("changeset_id", flat=True))
    assert len(numbers) == 1
    assert set(CommunityMemberHistory.objects.values_list("pgh_context_id", flat=True)) == numbers != {None}


def test_each_service_of_common_is_recorded():
    """The services of this package are those tested above and in the tests of reverting."""
    found = set()
    for module in walk_packages(missionsite.common.__path__, "missionsite.common."):
        if ".management" in module.name or ".migrations" in module.name:
            continue
        found |= {value.__name__ for value in vars(import_module(module.name)).values() if hasattr(value, "is_service")}
    assert found == {
        create_token.__name__,
        revoke_token.__name__,
        set_password.__name__,
        "revert_change",
        # tests/portal/test_accounts.py
        "end_access",
        # tests/site/test_view_as.py
        "start_viewing",
        # tests/common/test_retention_page.py, test_sealed_audit.py and test_security_log.py
        "start_run",
        "_end",
        "delete_old_audit",
        "delete_old_security_events",
        # tests/common/test_bulk_edits.py
        "start_bulk_edit",
        "start_undo",
        "cancel_bulk_edit",
        "delete_old_bulk_edit_rows",
    }
