"""Missions of every policy, join requests and valid requests to their URLs, for the tests of the whole site."""

from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile

from groups.models import Member
from groups.services.custom_fields import create_custom_field
from groups.services.import_undo import MEMBERSHIPS, past_imports
from groups.services.membership_files import import_memberships
from groups.services.tags import add_note, create_tag
from tests.support.factories.groups import (
    JoinRequestFactory,
    MemberFactory,
    MembershipFactory,
    MissionFactory,
    TaskFactory,
)

OPEN = {"min_trust_score": "0", "join_policy": "open"}
REASON = {"reason": "Because it is time"}
# The mission of a route, where it is not just any.
MISSIONS = {
    "leave_mission": "crowded mission",
    "mission_leave": "crowded mission",
    "mission_task": "crowded mission",
    "ask_to_join": "mission by request",
    "mission_ask": "mission by request",
    "mission_answer": "mission by invitation",
    "enter_waiting_list": "full mission",
    "mission_wait": "full mission",
}
OBJECTS = {
    "groups/joinrequest": "join request",
    "groups_joinrequest_withdraw": "mission invitation",
    "groups/tag": "tag",
    "groups/customfield": "custom field",
}
# The note of a route.
NOTES = {"mission": "mission", "colony": "colony", "member": "member", "communitymember": "entry"}
CHOSEN = {
    "groups/joinrequest accept": "join request",
    "groups/joinrequest decline": "join request",
    "groups/joinrequest withdraw": "mission invitation",
    **{f"groups/{model} tags": name for model, name in NOTES.items()},
}
BELOW = ("me/missions/", "api/join-requests/")
PARTS = ("mission_id", "task_id", "action", "request_id")


def add_joining(things: dict[str, object], people: dict) -> None:
    """Create a mission of each policy and a full one, an invitation for each person, and a task that each may claim."""
    colony = things["colony"]
    things["mission by request"] = MissionFactory(parent_group=colony, join_policy="request")
    things["mission by invitation"] = MissionFactory(parent_group=colony, join_policy="invitation")
    for person in people.values():
        JoinRequestFactory(member=person, group=things["mission by invitation"], kind="invitation")
    things["full mission"] = MissionFactory(parent_group=colony, max_members=1)
    MembershipFactory(group=things["full mission"])
    things["join request"] = JoinRequestFactory(group=things["mission by request"])
    things["task for all"] = TaskFactory(group=things["crowded mission"], title="For all")
    system = Member.objects.system()
    things["tag"] = create_tag(actor=system, name="Speaker")
    things["custom field"] = create_custom_field(actor=system, target="member", name="age", label="Age", kind="number")
    create_custom_field(actor=system, target="mission", name="budget", label="Budget", kind="text")
    # That of the entry is made with the directory.
    for name in set(NOTES.values()) - {"entry"}:
        things[f"note of {name}"] = add_note(actor=system, subject=things[name], text="A note")
    first, second = MemberFactory.create_batch(2, display_name="Listed")
    imported = f"member_id,mission_id\n{first.member_id},{things['mission'].stable_id}\n"
    things["list"] = imported.replace(first.member_id, second.member_id)
    import_memberships(actor=Member.objects.system(), file=BytesIO(imported.encode()))
    things["membership import"] = past_imports(kinds=[MEMBERSHIPS])[0]
    things["mission invitation"] = JoinRequestFactory(group=things["mission by request"], kind="invitation")


def part(things: dict, name: str, route: str):
    """Return the value of a part of a URL."""
    match name:
        case "note_id":
            return things[f"note of {NOTES[route.split('_')[1]]}"].pk
        case "mission_id":
            return things[MISSIONS.get(route, "mission")].stable_id
        case "task_id":
            return things["task for all"].stable_id
        case "action":
            return "claim" if route == "mission_task" else "accept"
    return things["mission invitation" if route == "withdraw_join_request" else "join request"].pk


def forms(things: dict) -> dict[str, dict]:
    """Return valid data of forms, by the name of their route."""
    member, mission = things["member"].pk, things["mission"].pk
    field = {"target": "member", "name": "age", "label": "Age", "kind": "number", "choices": "", "position": "0"}
    return {
        "groups_mission_invite-member": {"member": member, "message": ""},
        "groups_joinrequest_add": {"member": member, "group": mission, "message": ""},
        "groups_membership_import": {"file": SimpleUploadedFile("memberships.csv", things["list"].encode())},
        "groups_membership_undo_import": {},
        **{f"groups_{model}_tags": {"new": "Volunteer"} for model in NOTES},
        **{f"groups_{model}_note": {"text": "Another note"} for model in NOTES},
        **{
            f"groups_{model}_custom-fields": {"age": "30", "budget": "1,000 a year"}
            for model in NOTES
            if model != "colony"
        },
        "groups_tag_add": {"name": "Mentor"},
        "groups_tag_change": {"name": "Talks"},
        "groups_tag_delete-tag": {},
        "groups_customfield_add": field | {"name": "size", "choices": "S\nM", "kind": "choice"},
        "groups_customfield_change": field | {"label": "Years"},
        **{f"groups_joinrequest_{name}": REASON for name in ("accept", "decline", "withdraw")},
    }


def bodies(things: dict) -> dict[tuple[str, str], dict]:
    """Return valid bodies of API operations, by URL and method."""
    return {
        ("api/missions/<key>/invitations", "POST"): {"member": things["member"].member_id},
        ("api/join-requests/<request_id>/decline", "POST"): REASON,
    }
