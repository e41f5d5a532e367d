"""A member with rows in every table, and searches of everything stored for a text."""

import itertools
import json
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group as Role
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.utils import timezone
from psycopg import sql
from psycopg.types.json import Jsonb

from engagement.models import EngagementMessage, UnassignedMessage
from engagement.rules import AddressReport
from engagement.services.addresses import report_address
from engagement.services.inbound import handle_inbound
from engagement.services.lifecycle import transition
from engagement.services.messages import enqueue
from engagement.services.profiles import update_profile
from fallback.models import (
    AccessRequest,
    GithubPrComment,
    GithubPrReview,
    GithubPullRequest,
    MemberAbsence,
    MissionAssignment,
    MissionComment,
    MissionStar,
    Notification,
    NotificationPreference,
    NotificationSettings,
    ProjectStar,
)
from groups.models import CommunityMember, CustomField, CustomValue, Member, Note, Tag, Tagging
from groups.services import directory
from groups.services.custom_fields import set_values
from groups.services.highlights import roll_up_highlights
from groups.services.invitations import create_invitation, create_invitations
from groups.services.join_requests import decline_request, request_to_join
from groups.services.memberships import join_mission, leave_mission
from groups.services.participation import record_participation
from groups.services.registration import accept_invitation
from groups.services.relationships import create_relationship
from groups.services.returns import request_return
from groups.services.tags import add_note, change_tags
from groups.services.verification import request_github_check
from missiondeck.services.checklist import tick_item
from missiondeck.services.feeds import create_feed
from missiondeck.services.missions import change_status
from missionsite.common.models import SecurityEvent
from missionsite.models import Favourite, SavedView
from tests.support.database import triggers_off
from tests.support.errors import violates
from tests.support.factories.fallback import MissionFactory as BoardMissionFactory
from tests.support.factories.fallback import OrganizationMembershipFactory, ProjectMemberFactory, RepositoryFactory
from tests.support.factories.groups import EntryFactory, MissionFactory, StaffFactory
from tests.support.factories.missiondeck import DeckMissionFactory, DodItemFactory, RunFactory
from tests.support.factories.tokens import api_client, make_token

CANARY, NEIGHBOUR = "kanarie", "nachbar"
# Planted rows leave documents, in a folder that the search for files with the canary reads.
PLANTED = "distelfink"
SERVERS_LOG = str(Path(settings.VAR_DIR) / "postgres" / "log")


# Links to the acting member: the text in these rows is about something else.
DOERS = {
    ("access_requests", "decided_by_id"),
    ("bulk_edits", "started_by_id"),
    ("api_tokens", "created_by_id"),
    ("notes", "author_id"),
    ("join_requests", "created_by_id"),
    ("join_requests", "decided_by_id"),
    ("community_invitations", "created_by"),
    ("community_members", "invited_by"),
    # People who were merged are erased one by one: tests/groups/test_merging.py.
    ("community_members", "merged_into"),
    ("members", "merged_into_id"),
    ("member_merges", "kept_id"),
    ("member_merges", "absorbed_id"),
    ("member_merges", "kept_entry_id"),
    ("member_merges", "absorbed_entry_id"),
    ("member_merges", "merged_by_id"),
    ("member_merges", "undone_by_id"),
    ("import_mappings", "saved_by_id"),
    ("people_jobs", "approved_by_id"),
    ("people_jobs", "started_by_id"),
    ("possible_duplicates", "decided_by_id"),
    # The mission is the client's; the address it is assigned to follows the member's own.
    ("deck_missions", "assignee_id"),
    ("deck_missions", "completed_by_id"),
    # Reasons about tests of the client's code, like those of status changes.
    ("deck_gate_baselines", "by_id"),
    ("deck_status_changes", "by_id"),
    ("deck_tests", "owner_id"),
    ("deck_tests", "quarantined_by_id"),
    ("deck_vanished_tests", "by_id"),
    # Texts of a client mission. A search for a name in free texts finds them: free_texts.py of each app.
    ("chat_messages", "author_id"),
    ("deck_costs", "author_id"),
    ("dod_comments", "author_id"),
    ("dod_evidence", "signed_by_id"),
    ("dod_evidence_files", "added_by_id"),
    ("deck_client_links", "created_by_id"),
    ("deck_webhooks", "created_by_id"),
    ("dod_items", "completed_by_id"),
    ("community_returns", "decided_by_id"),
    ("engagement_announcements", "approved_by_id"),
    ("engagement_announcements", "created_by_id"),
    ("engagement_state_transitions", "actor_id"),
    ("events", "actor_id"),
    ("mission_comments", "author_id"),
    ("mission_document_versions", "author_id"),
    ("mission_events", "actor_id"),
    ("mission_fallback_items", "reviewed_by_id"),
    ("mission_fallback_runs", "started_by_id"),
    ("missions", "reviewed_by_id"),
    ("project_activity", "actor_id"),
    ("retention_runs", "started_by_id"),
    ("tasks", "claimed_by_id"),
    ("test_runs", "created_by_id"),
    ("workstations", "registered_by_id"),
}
# Texts that users do not enter: choices, numbers and digests.
NO_TEXT_OF_A_PERSON = {
    ("deck_feeds", "digest"),
    ("events", "type"),
    ("community_returns", "status"),
    ("members", "password"),
    ("security_events", "request_id"),
    ("security_events", "type"),
    ("member_relationships", "entity_id_a"),
    ("member_relationships", "entity_id_b"),
    ("notification_preferences", "kind"),
    ("notifications", "kind"),
    ("engagement_state_transitions", "metadata"),
    ("engagement_message_queue", "message_key"),
    ("engagement_message_queue", "idempotency_key"),
    ("user_profiles", "timezone"),
    ("user_profiles", "onboarding_tier_progress"),
}


# --- A member with rows in every table --------------------------------------------------------


def owner_session():
    owner = settings.DATABASE_OWNER
    return psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=connections["default"].settings_dict["NAME"],
    )


def live(word):
    """Create a member with every kind of row, with this word in every text."""
    inviter, staff = EntryFactory(), StaffFactory()
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="groups"))
    # Invited through the API under a name that has an escape in JSON and was changed later; another invitation waits
    # for the same name.
    order = json.dumps({"telegram_usernames": [f"zoë_{word}"], "created_by": int(inviter.member_id[1:])})
    made = api_client(staff).post(
        "/api/directory/invitations",
        order,
        content_type="application/json",
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert made.status_code == 201, made.content
    create_invitations(
        actor=inviter.person, created_by=inviter, telegram_usernames=[f"@Zoë_{word}", f"{word.upper()}_NOW"]
    )
    order = {
        "code": made.json()["items"][0]["code"],
        "name": f"First {word}",
        "email": f"first-{word}@example.org",
        "primary_role": "designer",
        "telegram_id": f"id {word}",
        "telegram_username": f"zoë_{word}",
        "organization": f"Works at {word}",
        "country": f"{word}land",
        "github_username": f"{word}-gh",
    }
    registered = api_client(staff).post(
        "/api/directory/register",
        json.dumps(order),
        content_type="application/json",
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert registered.status_code == 201, registered.content
    entry = CommunityMember.objects.get(member_id=registered.json()["number"])
    person = entry.person

    directory.approve(entry=entry, actor=staff, reason=f"knows {word}")
    directory.update_entry(
        entry=entry, actor=staff, name=f"Zoë {word}", telegram_username=f"{word}_now", country=f"Old {word}land"
    )
    directory.verify_manually(entry=entry, actor=staff, how=f"{word} showed it in a call")
    request_github_check(actor=Member.objects.system(), entry=entry)
    directory.suspend(entry=entry, actor=staff, reason=f"{word} shouted")
    directory.reinstate(entry=entry, actor=staff, reason=f"{word} is calm")
    person.refresh_from_db()
    person.email = f"now-{word}@example.org"
    person.display_name = f"Zoë {word}"
    person.save()
    # Error messages contain the rejected values; the server's log must not.
    with violates("member_telegram_id_idx"):
        directory.update_entry(actor=Member.objects.system(), entry=inviter, telegram_id=f"id {word}")
    with violates("member_telegram_id_idx"):
        directory.create_entry(
            actor=Member.objects.system(), name=f"Again {word}", telegram_id=f"id {word}", primary_role="other"
        )
    accept_rejected(inviter, word)

    headers = {"Idempotency-Key": str(uuid4())}
    made = api_client(person).post("/api/directory/invitations", "{}", content_type="application/json", headers=headers)
    assert made.status_code == 201, made.content
    create_relationship(
        entity_id_a=entry.member_id,
        entity_id_b=inviter.member_id,
        relationship_type="MENTORED",
        content={"about": word},
        actor=person,
    )
    for kind, metadata in (("MESSAGE", {"text": word}), ("VOICE", {"minutes": 7, "with": word}), ("REACTION", None)):
        record_participation(
            member_id=entry.member_id,
            event_type=kind,
            platform="telegram",
            room_id=f"room of {word}",
            message_id=f"{word} {kind}",
            event_metadata=metadata,
        )
    roll_up_highlights()
    record_participation(member_id=entry.member_id, event_type="MESSAGE", platform="telegram", room_id=f"{word} 2")

    request_return(
        code=create_invitation(actor=inviter.person, created_by=inviter).code,
        name=f"Again {word}",
        email=f"now-{word}@example.org",
        telegram_id=f"id {word}",
        country=f"{word}land",
    )

    mission = MissionFactory()
    join_mission(actor=person, member=person, mission=mission, role=f"Host {word}", reason=f"{word} asked")
    leave_mission(actor=person, member=person, mission=mission, reason=f"{word} left")
    join_mission(actor=person, member=person, mission=mission)
    asked = MissionFactory(join_policy="request")
    decline_request(
        actor=staff,
        request=request_to_join(actor=person, mission=asked, message=f"I am {word}"),
        reason=f"Not yet, {word}",
    )
    request_to_join(actor=person, mission=asked, message=f"{word} again")
    field, _made = CustomField.objects.get_or_create(target="member", name="motto", label="Motto", kind="text")
    change_tags(actor=staff, subject=person, add=["Speaker"])
    add_note(actor=staff, subject=person, text=f"Met {word}")
    set_values(actor=staff, subject=person, values={field: f"Be {word}"})
    # As of a time before the entry had an account.
    Tagging.objects.create(tag=Tag.objects.get(name="Speaker"), entry=entry)
    Note.objects.create(entry=entry, author=staff, text=f"Met {word}")
    CustomValue.objects.create(entry=entry, field=field, value=f"Be {word}")
    make_token(person, name=f"{word}'s laptop")
    person.groups.add(Role.objects.create(name="Some role of " + person.member_id))
    person.user_permissions.add(Permission.objects.first())
    LogEntry.objects.create(user=person, action_flag=CHANGE, object_repr=word, change_message=word)
    for object_id in (entry.pk, person.pk):
        LogEntry.objects.create(user=staff, action_flag=CHANGE, object_id=str(object_id), object_repr=word)
    client = Client()
    client.force_login(person)

    membership = ProjectMemberFactory(member=person)
    OrganizationMembershipFactory(member=person, organization=membership.project.organization)
    ProjectStar.objects.create(member=person, project=membership.project)
    starred = BoardMissionFactory(project=membership.project)
    MissionStar.objects.create(member=person, mission=starred)
    MissionAssignment.objects.create(member=person, mission=starred, kind="work")
    for pair in ({"member": person, "deputy": StaffFactory()}, {"member": StaffFactory(), "deputy": person}):
        MemberAbsence.objects.create(starts_at=timezone.now(), ends_at=timezone.now(), **pair)
    AccessRequest.objects.create(member=person, project=membership.project, message=f"I am {word}")
    Notification.objects.create(
        member=person, project=membership.project, kind="a", title=f"Hello {word}", payload={"w": word}
    )
    NotificationPreference.objects.create(member=person, kind="a")
    Favourite.objects.create(member=person, path="/admin/")
    SavedView.objects.create(member=person, path="/admin/groups/member/", name=f"{word}'s view", query=f"q={word}")
    MissionComment.objects.create(
        mission=BoardMissionFactory(project=membership.project), author=person, body=f"I am {word}"
    )
    NotificationSettings.objects.create(member=person)
    board = BoardMissionFactory(project=membership.project)
    pull_request = GithubPullRequest.objects.create(
        mission=board,
        repository=RepositoryFactory(project=membership.project),
        number=7,
        title=f"By {word}",
        author=f"{word}-gh",
    )
    GithubPrComment.objects.create(pull_request=pull_request, github_id=1, author=f"{word}-gh", body=f"I am {word}")
    GithubPrReview.objects.create(
        pull_request=pull_request, github_id=1, author=f"{word.upper()}-gh", state="approved", body=f"Says {word}"
    )

    update_profile(
        actor=person, member=person, individual_jid=f"{word}@chat.example", group_jid=f"{word}@group.example"
    )
    UnassignedMessage.objects.create(
        platform="email",
        message_id=f"<{word}@mail.example>",
        sender=f"{word}@other.example",
        sender_name=f"The {word}",
        reason="unknown",
        handled_at=timezone.now(),
        user=person,
    )
    # Assigned to one client mission by the current address, to another by the previous one.
    mission = DeckMissionFactory(assigned_to=f"now-{word}@example.org")
    assert mission.assignee == person
    assert DeckMissionFactory(assigned_to=f"FIRST-{word}@example.org").assignee is None
    item = DodItemFactory(mission=mission)
    tick_item(item=item, done=True, actor=person)
    RunFactory(mission=mission, created_by=person)
    change_status(mission=mission, to="qa", actor=person)
    change_status(mission=mission, to="complete", actor=person)
    create_feed(actor=person, name=f"{word}'s phone")
    handle_inbound(actor=person, text=f"I am {word}", platform="whatsapp", message_id=f"{word} 1")
    report_address(
        member=person, address=f"{word}@example.org", report=AddressReport.COMPLAINT, detail=word, at=timezone.now()
    )
    transition(actor=person, member=person, trigger="inactivity_14d")
    enqueue(member=person, message_type="reminder", params={"about": word})
    failed = enqueue(member=person, message_type="welcome", event=f"of-{person.member_id}")
    EngagementMessage.objects.filter(pk=failed.pk).update(status="failed", error_message=f"No chat {word}@chat.example")
    Authenticator.objects.create(user=person, type="totp", data={"secret": word})
    UserSession.objects.create(user=person, ip="192.0.2.1", session_key=uuid4().hex, user_agent=word)
    SocialAccount.objects.create(user=person, provider="oidc", uid=word, extra_data={"name": word})
    SecurityEvent.objects.create(type="session.started", actor=person, member=person, user_agent=word)
    entry.refresh_from_db()
    return entry, client


def accept_rejected(inviter, word):
    """Another person registers with the member's e-mail."""
    code = create_invitation(actor=inviter.person, created_by=inviter).code
    with pytest.raises(Exception, match="e-mail"):
        accept_invitation(
            code=code,
            email=f"NOW-{word}@example.org",
            password=None,
            name=f"Impostor {word}",
            primary_role="other",
            telegram_id=f"other {word}",
        )


# --- Planting and searching ---------------------------------------------------------------------

_LINKS = """
    SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, f.attname
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND c.confrelid IN ('members'::regclass, 'community_members'::regclass)
"""
# Columns that hold text of any kind, but for those that refer to something.
_TEXTS = """
    SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        AND t.typname IN ('text', 'varchar', 'bpchar', 'json', 'jsonb', '_text', '_varchar', 'citext', 'name', 'xml')
        AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND a.attnum = ANY (c.conkey)
            AND c.contype IN ('f', 'p'))
"""


def rows_of(session, entry):
    """Return [(table, column, value)] that selects the rows of a member, history included."""
    whose = {
        ("members", "id"): entry.person_id,
        ("community_members", "id"): entry.pk,
        ("community_members", "member_id"): entry.member_id,
    }
    found = [("members", "id", entry.person_id), ("community_members", "id", entry.pk)]
    for table, column, target, key in session.execute(_LINKS).fetchall():
        if (table, column) not in DOERS:
            found.append((table, column, whose[target, key]))
    for (history,) in session.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%%\\_history'"
    ).fetchall():
        base = history.removesuffix("_history")
        for table, column, value in list(found):
            if table == base:
                # The history of the row, and deleted rows of the member.
                found.append((history, "pgh_obj_id" if column == "id" else column, value))
    return found


def plant(session, entry, word):
    """Write a canary into every text column of a member's rows; returns {canary: (table, column)}."""
    numbers, planted = itertools.count(1), {}
    for table, link, value in rows_of(session, entry):
        where = sql.SQL(" WHERE {} = %s").format(sql.Identifier(link))
        (count,) = session.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)) + where, [value]
        ).fetchone()
        if not table.endswith("_history"):
            assert count, f"the person has no row in {table} by {link}: give them one"
        base = table.removesuffix("_history")
        with triggers_off(session, table):
            for column, kind in session.execute(_TEXTS, [table]).fetchall():
                if column.startswith("pgh_") or {(table, column), (base, column)} & NO_TEXT_OF_A_PERSON:
                    continue
                canary = f"{word}-{next(numbers):04d}"
                # A history column accepts what the column accepts.
                if table != base and (base, column) not in planted.values():
                    continue
                if put(session, table, where, value, column, kind, canary):
                    planted[canary] = (table, column)
    session.commit()
    return planted


def put(session, table, where, value, column, kind, canary):
    """Write a canary into a column; returns False if a constraint rejects it."""
    text = {
        "jsonb": Jsonb({canary: [canary]}),
        "json": Jsonb({canary: [canary]}),
        "_text": [canary],
        "_varchar": [canary],
    }
    if column == "email":
        canary = f"{canary}@example.org"
    statement = sql.SQL("UPDATE {} SET {} = %s").format(sql.Identifier(table), sql.Identifier(column)) + where
    if column == "event_metadata":
        # The minutes are kept; the canary is another key.
        statement = (
            sql.SQL("UPDATE {} SET {c} = coalesce({c}, '{{}}') || %s").format(
                sql.Identifier(table), c=sql.Identifier(column)
            )
            + where
        )
    try:
        with session.transaction():
            session.execute(statement, [text.get(kind, canary), value])
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (psycopg.errors.IntegrityError, psycopg.errors.StringDataRightTruncation):
        return False
    return True


def search(session, word):
    """Return {(table, column)} of the whole database that contain a word, in any case and type."""
    found = set()
    for (table,) in session.execute(
        """SELECT oid::regclass::text FROM pg_class
           WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace"""
    ).fetchall():
        columns = session.execute(
            sql.SQL(
                """SELECT DISTINCT e.key FROM {} t, jsonb_each_text(to_jsonb(t)) e
                   WHERE position(lower(%s) IN lower(e.value)) > 0"""
            ).format(sql.SQL(table)),
            [word],
        ).fetchall()
        found |= {(table, column) for (column,) in columns}
    session.commit()
    return found


def files_with(word):
    """Return the files in var that contain a word, with the server's log, without its data."""
    needle = word.lower().encode()
    folders = [Path(settings.VAR_DIR), Path(settings.DOCUMENTS_ROOT)]
    paths = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    data = Path(settings.VAR_DIR) / "postgres" / "data"
    return sorted(str(path) for path in paths if data not in path.parents and needle in path.read_bytes().lower())
