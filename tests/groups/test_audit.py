"""Every service of this app takes an actor and records it."""

import importlib
import inspect
import io
import json
import pkgutil
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Group as Role
from django.utils import timezone

import groups.services
from groups.models import (
    CommunityReturn,
    CustomField,
    Event,
    Group,
    Member,
    Note,
    PeopleJob,
    PossibleDuplicate,
    Tag,
)
from groups.selectors.people import person_of_entry
from groups.services import verification
from groups.services.duplicates import find_duplicates, mark_not_same
from groups.services.imports import import_members
from groups.services.members import update_member
from groups.services.merging import merge_people
from groups.services.people_jobs import start_password_links
from groups.services.registration import accept_invitation
from groups.services.returns import request_return
from groups.services.waiting_list import join_waiting_list
from missionsite.common.audit.history import changes_of
from tests.support.factories.groups import (
    ColonyFactory,
    EntryFactory,
    InvitationFactory,
    JoinRequestFactory,
    MemberFactory,
    MembershipFactory,
    MissionFactory,
    StaffFactory,
    TaskFactory,
)

# Services without an actor, and why.
WITHOUT_ACTOR = {
    "accept_invitation": "The actor is the member whom it creates; see test_registration_is_recorded.",
    "accept_by_link": "The actor is the member who opens the link; see tests/groups/test_returns.py.",
    "_new_link": "A part of the job that mails it; a request of it is recorded.",
    "request_return": "Nobody is logged in; the system member is the actor.",
    "ingest_participation": "Counters: the rows are the record of what members did.",
    "record_participation": "Counters: the rows are the record of what members did.",
    "rebuild_highlights": "Counters, derived from participation.",
    "roll_up_highlights": "Counters, derived from participation.",
}
# Services with an actor that leave no record, and why.
UNRECORDED = {
    "find_duplicates": "A search: the pairs are derived from the people. Deciding on one is recorded.",
}


def services() -> dict[str, Callable]:
    """Return the services of this app by name; `verify_on_github` runs in several transactions of its own."""
    found = {"verify_on_github": verification.verify_on_github}
    for module in pkgutil.iter_modules(groups.services.__path__, "groups.services."):
        for name, function in vars(importlib.import_module(module.name)).items():
            if getattr(function, "is_service", False) and function.__module__ == module.name:
                found[name] = function
    return found


def claimable() -> dict:
    membership = MembershipFactory()
    return {"task": TaskFactory(group=membership.group), "member": membership.member}


def current_membership() -> dict:
    membership = MembershipFactory()
    return {"member": membership.member, "mission": membership.group}


def ended_term() -> dict:
    day = timezone.now() - timedelta(days=9)
    MembershipFactory(role="Lead", joined_at=day, role_until=day + timedelta(days=1))
    return {}


def full_mission() -> Group:
    return MembershipFactory(group=MissionFactory(max_members=1)).group


def waiting_list() -> dict:
    mission = full_mission()
    join_waiting_list(actor=MemberFactory(), mission=mission)
    Group.objects.filter(pk=mission.pk).update(max_members=2)
    return {"mission": mission}


def imported() -> dict:
    import_members(actor=Member.objects.system(), file=io.BytesIO(b"email,name\nnew@example.org,New\n"))
    return {"changeset": Event.objects.get(type="directory.imported").changeset_id}


def list_of_members() -> io.BytesIO:
    return io.BytesIO(f"member_id,mission_id\n{MemberFactory().member_id},{MissionFactory().stable_id}\n".encode())


def custom_field() -> CustomField:
    return CustomField.objects.create(target="member", name="size", label="Size", kind="text")


def written_note() -> dict:
    member = MemberFactory()
    return {
        "subject": member,
        "note": Note.objects.create(member=member, author=Member.objects.system(), text="A note"),
    }


def two_people() -> dict:
    return {"kept": person_of_entry(EntryFactory()), "absorbed": person_of_entry(EntryFactory())}


def merged() -> dict:
    return {"merge": merge_people(actor=Member.objects.system(), **two_people())}


def pair() -> PossibleDuplicate:
    EntryFactory.create_batch(2, name="Ana Lima")
    find_duplicates(actor=Member.objects.system())
    return PossibleDuplicate.objects.get()


def pair_not_same() -> dict:
    return {"pair": mark_not_same(actor=Member.objects.system(), pair=pair())}


def renamed_member() -> dict:
    member = update_member(actor=Member.objects.system(), member=MemberFactory(), display_name="New")
    return {"change": changes_of(member)[0]}


def exported_memberships() -> dict:
    mission, member = MissionFactory(), MemberFactory()
    line = {
        "type": "membership.created",
        "at": "2026-03-01T00:00:00+00:00",
        "member": member.member_id,
        "group": mission.stable_id,
        "number": 1,
        "role": "Member",
    }
    return {"lines": [json.dumps(line)]}


def open_return() -> CommunityReturn:
    entry, invitation = EntryFactory(deleted_at="2026-01-01T00:00:00Z"), InvitationFactory()
    made = request_return(
        code=invitation.code, email="new@example.org", telegram_id=entry.telegram_id, name="New", primary_role="other"
    )
    assert made
    return made


def waiting_job() -> PeopleJob:
    members = Member.objects.filter(pk=MemberFactory().pk)
    return start_password_links(actor=Member.objects.system(), members=members)


def job_to_approve() -> PeopleJob:
    job = waiting_job()
    PeopleJob.objects.filter(pk=job.pk).update(status="to_approve", needs_approval=True)
    return job


def overdue_invitation() -> dict:
    made = timezone.now() - timedelta(days=4)
    InvitationFactory(created_at=made, expires_at=made + timedelta(days=3))
    return {}


# The least arguments with which a service changes something; without the actor.
ARGUMENTS: dict[str, Callable[[], dict]] = {
    "accept_request": lambda: {"request": JoinRequestFactory()},
    "add_past_membership": lambda: {
        "member": MemberFactory(),
        "mission": MissionFactory(),
        "joined_at": timezone.now() - timedelta(days=9),
        "left_at": timezone.now() - timedelta(days=2),
    },
    "add_note": lambda: {"subject": MemberFactory(), "text": "A note"},
    "approve": lambda: {"entry": EntryFactory(status="pending")},
    "approve_job": lambda: {"job": job_to_approve()},
    "archive_group": lambda: {"group": MissionFactory()},
    "ban": lambda: {"entry": EntryFactory()},
    "cancel_invitation": lambda: {"invitation": InvitationFactory()},
    "cancel_task": lambda: {"task": TaskFactory()},
    "change_invitation": lambda: {"invitation": InvitationFactory(), "lasts": timedelta(days=2)},
    "change_role": lambda: {"membership": MembershipFactory(), "role": "Lead"},
    "change_tags": lambda: {"subject": MissionFactory(), "add": ["Tag"]},
    "claim_task": claimable,
    "complete_task": lambda: {"task": TaskFactory(state="claimed", claimed_by=MemberFactory())},
    "cancel_job": lambda: {"job": waiting_job()},
    "confirm_return": lambda: {"case": open_return()},
    "create_colony": lambda: {"name": "Colony"},
    "create_custom_field": lambda: {"target": "member", "name": "size", "label": "Size", "kind": "text"},
    "create_tag": lambda: {"name": "Tag"},
    "delete_tag": lambda: {"tag": Tag.objects.create(name="Tag")},
    "create_entry": lambda: {"name": "Noor", "telegram_id": "7", "primary_role": "other"},
    "create_invitation": lambda: {"created_by": EntryFactory()},
    "create_invitations": lambda: {"created_by": EntryFactory(), "telegram_usernames": [""]},
    "create_member": lambda: {"email": "new@example.org", "display_name": "New"},
    "create_mission": lambda: {"name": "Mission", "colony": ColonyFactory()},
    "create_relationship": lambda: {"entity_id_a": "a", "entity_id_b": "b", "relationship_type": "MENTORED"},
    "create_task": lambda: {"group": MissionFactory(), "title": "Task"},
    "decline_return": lambda: {"case": open_return()},
    "decline_request": lambda: {"request": JoinRequestFactory(), "reason": "Full"},
    "end_role_terms": ended_term,
    "erase": lambda: {"entry": EntryFactory()},
    "expire_invitations": overdue_invitation,
    "import_members": lambda: {"file": io.BytesIO(b"email,name\nnew@example.org,New\n")},
    "import_memberships": lambda: {"file": list_of_members()},
    "invite_to_mission": lambda: {"member": MemberFactory(), "mission": MissionFactory()},
    "join_mission": lambda: {"member": MemberFactory(), "mission": MissionFactory()},
    "join_waiting_list": lambda: {"mission": full_mission()},
    "leave_mission": current_membership,
    "mark_not_same": lambda: {"pair": pair()},
    "merge_people": two_people,
    "offer_places": waiting_list,
    # Without an address, the job records it.
    "queue_invitation_mail": lambda: {"invitation": InvitationFactory(), "email": "new@example.org"},
    # Of send_invitation, which calls it after the mail is sent.
    "queue_password_link": lambda: {"member": MemberFactory()},
    "_record_link": lambda: {"member": MemberFactory()},
    "start_import": lambda: {"content": b"email,name\nivo@example.org,Ivo\n", "name": "a.csv"},
    "start_own_data": dict,
    "start_password_links": lambda: {"members": Member.objects.filter(pk=MemberFactory().pk)},
    "_record": lambda: {"invitation": InvitationFactory(), "inviter": EntryFactory()},
    "reinstate": lambda: {"entry": EntryFactory(status="suspended")},
    "remove_entry": lambda: {"entry": EntryFactory()},
    "remove_note": written_note,
    "rename_tag": lambda: {"tag": Tag.objects.create(name="Tag"), "name": "Word"},
    "set_values": lambda: {"subject": MemberFactory(), "values": {custom_field(): "L"}},
    "update_custom_field": lambda: {"field": custom_field(), "label": "New"},
    "renew_code": lambda: {"invitation": InvitationFactory()},
    "reopen_pair": pair_not_same,
    "reopen_task": lambda: {"task": TaskFactory(state="cancelled")},
    "replay_membership_events": exported_memberships,
    "request_github_check": lambda: {"entry": EntryFactory(github_username="ana-h")},
    "request_to_join": lambda: {"mission": MissionFactory(join_policy="request")},
    "restore_entry": lambda: {"entry": EntryFactory(deleted_at="2026-01-01T00:00:00Z")},
    "restore_group": lambda: {"group": MissionFactory(status="archived")},
    "revert_member": renamed_member,
    "set_roles": lambda: {"member": MemberFactory(), "roles": [Role.objects.create(name="Gardener")]},
    "suspend": lambda: {"entry": EntryFactory()},
    "undo_import": imported,
    "undo_merge": merged,
    "update_entry": lambda: {"entry": EntryFactory(), "name": "New"},
    "update_group": lambda: {"group": MissionFactory(), "name": "New"},
    "update_member": lambda: {"member": MemberFactory(), "display_name": "New"},
    "update_task": lambda: {"task": TaskFactory(), "title": "New"},
    "withdraw_request": lambda: {"request": JoinRequestFactory(kind="invitation")},
    "verify_manually": lambda: {"entry": EntryFactory(github_username="ana-h"), "how": "A call"},
    # No account has such a name, so no request is sent.
    "verify_on_github": lambda: {"member_id": EntryFactory(github_username="not a name").member_id},
}


def is_recorded(actor: Member) -> bool:
    """Whether an event, or the changeset of a stored version of a row, names the actor."""
    histories = [model for model in apps.get_models() if hasattr(model, "pgh_context")]
    return Event.objects.filter(actor=actor).exists() or any(
        model.objects.filter(pgh_context__metadata__user=str(actor.pk)).exists() for model in histories
    )


def test_services_require_actor():
    """The actor comes first and has no default."""
    for name, function in services().items():
        if name not in WITHOUT_ACTOR:
            first, *_ = inspect.signature(function).parameters.values()
            assert (first.name, first.default) == ("actor", inspect.Parameter.empty), name


def test_every_service_has_arguments():
    assert services().keys() == ARGUMENTS.keys() | WITHOUT_ACTOR.keys() | UNRECORDED.keys()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ARGUMENTS)
def test_service_records_actor(name):
    actor = StaffFactory(is_superuser=True)
    arguments = ARGUMENTS[name]()
    assert not is_recorded(actor)
    services()[name](actor=actor, **arguments)
    assert is_recorded(actor)


@pytest.mark.django_db
def test_search_for_duplicates_leaves_only_pairs():
    before = Event.objects.count()
    assert pair().status == "open"
    assert Event.objects.count() == before


@pytest.mark.django_db
def test_registration_is_recorded():
    invitation = InvitationFactory()
    entry = accept_invitation(
        code=invitation.code, email="new@example.org", name="New", primary_role="other", telegram_id="7"
    )
    assert set(Event.objects.filter(actor=entry.person).values_list("type", flat=True)) == {
        "member.created",
        "invitation.accepted",
    }
