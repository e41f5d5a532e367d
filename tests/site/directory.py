"""Objects of the directory for the tests of the whole site: entries in every state, valid forms and requests."""

from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile

from groups.models import Member, PeopleJob, PossibleDuplicate
from groups.selectors.people import person_of_entry
from groups.services.directory import remove_entry, suspend, update_entry
from groups.services.import_undo import past_imports
from groups.services.imports import import_members
from groups.services.invitations import create_invitation
from groups.services.merging import merge_people
from groups.services.people_jobs import start_password_links
from groups.services.returns import request_return
from groups.services.tags import add_note
from tests.support.factories.directory import EntryFactory, ParticipationFactory, RelationshipFactory
from tests.support.factories.groups import MemberFactory

# Accounts with an entry: those who may invite.
INVITING = ("Administrator", "Community Manager", "superuser", "member")


def add_directory(things: dict[str, object], people: dict[str, Member]) -> None:
    """Create the entries, invitations, relationships and participation."""
    for name in INVITING:
        things[f"entry of {name}"] = EntryFactory(name=people[name].display_name, person=people[name])
    things["entry"] = EntryFactory(name="Noor", with_account=True, github_username="noor-h")
    update_entry(actor=Member.objects.system(), entry=things["entry"], organization="Harbour Lab")
    things["note of entry"] = add_note(actor=Member.objects.system(), subject=things["entry"], text="A note")
    things["pending entry"] = EntryFactory(name="Pia", status="pending")
    # The newest change of their history is a decision, which has a button of its own to undo it.
    things["suspended entry"] = EntryFactory(name="Sasha", with_account=True)
    suspend(actor=Member.objects.system(), entry=things["suspended entry"], reason="A week off")
    things["removed entry"] = remove_entry(
        actor=Member.objects.system(), entry=EntryFactory(name="Rui"), reason="Asked to"
    )
    things["invitation"] = create_invitation(
        actor=things["entry of member"].person,
        created_by=things["entry of member"],
        telegram_username="bob",
        email="bob@example.org",
    )
    # Its newest code is used for registration by the API.
    things["open invitation"] = create_invitation(actor=things["entry"].person, created_by=things["entry"])
    things["relationship"] = RelationshipFactory(
        entity_id_a=things["entry"].member_id, entity_id_b=things["pending entry"].member_id
    )
    import_members(actor=Member.objects.system(), file=BytesIO(b"email,name\nivo@example.org,Ivo\n"))
    things["import"] = past_imports()[0]
    twins = [EntryFactory(name=name) for name in ("Ada Lane", "Ada B. Lane", "Ada C. Lane", "Ada D. Lane")]
    first, second, third, fourth = map(person_of_entry, twins)
    things["merge"] = merge_people(actor=Member.objects.system(), kept=first, absorbed=second)
    things["alike"] = (things["entry"], things["pending entry"])
    things["duplicate"], things["decided duplicate"] = (
        PossibleDuplicate.objects.create(
            first=min(a.key, b.key), second=max(a.key, b.key), reasons=["name"], score=55, status=status
        )
        for a, b, status in ((first, third, "open"), (first, fourth, "not_same"))
    )
    things["return"] = request_return(
        code=things["open invitation"].code,
        name="Rui",
        email="rui@example.org",
        telegram_id=things["removed entry"].telegram_id,
        primary_role="other",
    )
    MemberFactory(display_name="Imported")
    things["people job"] = start_password_links(actor=people["superuser"], members=Member.objects.all())
    things["job to approve"] = start_password_links(actor=Member.objects.system(), members=Member.objects.all())
    PeopleJob.objects.filter(pk=things["job to approve"].pk).update(status="to_approve", needs_approval=True)
    things["participation"] = ParticipationFactory(member=things["entry"])


# The object of a URL, by model, by name of the route, and by name of a part.
OBJECTS = {
    "groups/communitymember": "entry",
    "groups/communityinvitation": "invitation",
    "groups/possibleduplicate": "duplicate",
    "groups_possibleduplicate_reopen": "decided duplicate",
    "groups/communityreturn": "return",
    "groups/peoplejob": "people job",
    "groups_peoplejob_approve": "job to approve",
    "groups/memberrelationship": "relationship",
    "groups/memberparticipation": "participation",
    "groups_communitymember_approve": "pending entry",
    "groups_communitymember_reinstate": "suspended entry",
    "groups_communitymember_restore": "removed entry",
}
PARTS = ("number", "invitation_id", "changeset", "merge", "secret", "job")
CHOSEN = {
    "groups/communitymember approve": "pending entry",
    "groups/communitymember suspend": "entry",
    "groups/communitymember reinstate": "suspended entry",
    "groups/communitymember ban": "entry",
    "groups/communitymember verify": "entry",
    "groups/communitymember remove": "entry",
    "groups/communitymember restore": "removed entry",
    "groups/possibleduplicate not_same": "duplicate",
    "groups/communityreturn decline": "return",
    "groups/communityinvitation cancel": "invitation",
    "groups/communityinvitation send": "invitation",
}


def part(things: dict[str, object], name: str, route: str):
    """Return the value of a part of a URL of the directory."""
    if name == "job":
        return things["people job"].pk
    if name == "secret":
        return "no-secret-of-a-link"
    if name == "merge":
        return things["merge"].pk
    if name == "changeset":
        return things["membership import" if "membership" in route else "import"].changeset
    return things["entry"].member_id[1:] if name == "number" else things["invitation"].pk


def forms(things: dict[str, object]) -> dict[str, dict]:
    """Return valid data of the directory's forms, by the name of their route."""
    person = {"name": "Nora", "primary_role": "designer", "telegram_id": "31415", "country": "Portugal"}
    reason = {"reason": "Because it is time"}
    deciding = ("approve", "suspend", "reinstate", "ban", "remove", "restore")
    return {
        "groups_communitymember_add": person,
        "groups_communitymember_change": {**person, "name": "Renamed"},
        **{f"groups_communitymember_{name}": reason for name in deciding},
        "groups_communitymember_verify-manually": {"how": "They called"},
        "groups_communitymember_erase": {"number": things["entry"].member_id},
        "groups_communitymember_import": {
            "file": SimpleUploadedFile("members.csv", b"email,name\nnora@example.org,Nora\n", "text/csv"),
        },
        "groups_communitymember_undo_import": {},
        "groups_communitymember_merge": {"other": things["pending entry"].member_id},
        "groups_member_merge": {"other": things["pending entry"].member_id},
        "groups_possibleduplicate_find": {},
        "groups_possibleduplicate_compare": {"keep": str(person_of_entry(things["entry"]).key), "reason": ""},
        "groups_possibleduplicate_not-same": reason,
        "groups_possibleduplicate_reopen": {},
        "groups_communityreturn_confirm": {},
        "groups_peoplejob_cancel": {},
        "groups_peoplejob_approve": {},
        "groups_member_password-link": {},
        "groups_member_password_links": {},
        "groups_communityreturn_decline": reason,
        "groups_communityinvitation_add": {
            "created_by": things["entry"].member_id,
            "invited_telegram_username": "eve",
            "days": "3",
        },
        "groups_communityinvitation_many": {
            "created_by": things["entry"].member_id,
            "names": "eve_1\n@bob_1",
            "days": "3",
        },
        "groups_communityinvitation_send_code": {"codes": things["invitation"].code, "email": "eve@example.org"},
        "groups_communityinvitation_hand_out": {"codes": things["invitation"].code, "format": "print"},
        "groups_communityinvitation_send": {"email": "eve@example.org"},
        "groups_communityinvitation_edit": {"invited_name": "Eve", "max_uses": "1", "days": "9"},
        "groups_communityinvitation_cancel": reason,
        "groups_communityinvitation_new-code": {"days": "3"},
        "groups_memberrelationship_add": {
            "entity_id_a": things["entry"].member_id,
            "entity_id_b": things["suspended entry"].member_id,
            "relationship_type": "MENTORED",
            "note": "",
        },
    }


def bodies(things: dict[str, object]) -> dict[tuple[str, str], dict]:
    """Return valid bodies of the directory's API operations, by URL and method."""
    return {
        ("api/directory/register", "POST"): {
            "code": things["open invitation"].spelled_code,
            "name": "Nora",
            "email": "nora@example.org",
            "primary_role": "designer",
            "telegram_id": "31415",
        },
        ("api/directory/invitations", "POST"): {"telegram_usernames": ["eve"]},
        ("api/directory/invitations/<invitation_id>", "PATCH"): {"days": 9},
        ("api/directory/invitations/<invitation_id>/code", "POST"): {"days": 3},
        ("api/participation", "POST"): {
            "events": [
                {
                    "member_id": things["entry"].member_id,
                    "event_type": "MESSAGE",
                    "platform": "telegram",
                    "room_id": "-1001",
                    "message_id": "48213",
                }
            ]
        },
    }
