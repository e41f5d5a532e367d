"""The part of the world that is about the directory: entries in every state, what belongs to them, filled-in forms."""

from django.core.files.uploadedfile import SimpleUploadedFile

from groups.models import Member
from groups.services.directory import remove_entry, suspend, update_entry
from groups.services.invitations import create_invitation
from tests.factories.directory import EntryFactory, ParticipationFactory, RelationshipFactory

# Whose account has an entry of its own, beside the member's: those who may invite.
INVITING = ("Administrator", "Community Manager", "superuser")


def add_directory(things: dict[str, object], people: dict[str, Member]) -> None:
    """Make the entries, invitations, relationships and participation."""
    for name in INVITING:
        EntryFactory(name=people[name].display_name, person=people[name])
    things["directory entry"] = EntryFactory(name="Noor", with_account=True, github_username="noor-h")
    update_entry(entry=things["directory entry"], organization="Harbour Lab")
    things["pending entry"] = EntryFactory(name="Pia", status="pending")
    # The newest change of their history is a decision, which is taken back by a button of its own.
    things["suspended entry"] = EntryFactory(name="Sasha", with_account=True)
    suspend(entry=things["suspended entry"], reason="A week off")
    things["removed entry"] = remove_entry(entry=EntryFactory(name="Rui"), reason="Asked to")
    things["sent invitation"] = create_invitation(created_by=people["member"].community, telegram_username="bob")
    things["open invitation"] = create_invitation(created_by=things["directory entry"])
    things["relationship"] = RelationshipFactory(
        entity_id_a=things["directory entry"].member_id, entity_id_b=things["pending entry"].member_id
    )
    things["participation"] = ParticipationFactory(member=things["directory entry"])


# The object behind an address, by model and by the name of a route.
OBJECTS = {
    "groups/communitymember": "directory entry",
    "groups/communityinvitation": "sent invitation",
    "groups/memberrelationship": "relationship",
    "groups/memberparticipation": "participation",
    "groups_communitymember_approve": "pending entry",
    "groups_communitymember_reinstate": "suspended entry",
    "groups_communitymember_restore": "removed entry",
}
CHOSEN = {
    "groups/communitymember approve": "pending entry",
    "groups/communitymember suspend": "directory entry",
    "groups/communitymember reinstate": "suspended entry",
    "groups/communitymember ban": "directory entry",
    "groups/communitymember verify": "directory entry",
    "groups/communitymember remove": "directory entry",
    "groups/communitymember restore": "removed entry",
    "groups/communityinvitation cancel": "sent invitation",
}


def forms(things: dict[str, object]) -> dict[str, dict]:
    """What the forms of the directory send when everything in them is right, by the name of their route."""
    person = {"name": "Nora", "primary_role": "designer", "telegram_id": "31415", "country": "Portugal"}
    reason = {"reason": "Because it is time"}
    deciding = ("approve", "suspend", "reinstate", "ban", "remove", "restore")
    return {
        "groups_communitymember_add": person,
        "groups_communitymember_change": {**person, "name": "Renamed"},
        **{f"groups_communitymember_{name}": reason for name in deciding},
        "groups_communitymember_verify-by-hand": {"how": "They called"},
        "groups_communitymember_erase": {"number": things["directory entry"].member_id},
        "groups_communitymember_import": {
            "file": SimpleUploadedFile("members.csv", b"email,name\nnora@example.org,Nora\n", "text/csv"),
        },
        "groups_communityinvitation_add": {
            "created_by": things["directory entry"].member_id,
            "invited_telegram_username": "eve",
            "days": "3",
        },
        "groups_communityinvitation_many": {
            "created_by": things["directory entry"].member_id,
            "names": "eve\n@bob",
            "days": "3",
        },
        "groups_communityinvitation_cancel": reason,
        "groups_memberrelationship_add": {
            "entity_id_a": things["directory entry"].member_id,
            "entity_id_b": things["suspended entry"].member_id,
            "relationship_type": "MENTORED",
            "note": "",
        },
    }


def bodies(things: dict[str, object]) -> dict[tuple[str, str], dict]:
    """What the operations of the directory are sent when everything in it is right, by address and method."""
    return {
        ("api/directory/register", "POST"): {
            "code": things["open invitation"].spelled_code,
            "name": "Nora",
            "email": "nora@example.org",
            "primary_role": "designer",
            "telegram_id": "31415",
        },
        ("api/directory/invitations", "POST"): {"telegram_usernames": ["eve"]},
        ("api/participation", "POST"): {
            "events": [
                {
                    "member_id": things["directory entry"].member_id,
                    "event_type": "MESSAGE",
                    "platform": "telegram",
                    "room_id": "-1001",
                    "message_id": "48213",
                }
            ]
        },
    }
