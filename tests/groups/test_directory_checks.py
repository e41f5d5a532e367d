"""Checks, choices and unique values of the directory: raw SQL as the site's role."""

import pytest
from psycopg.types.json import Jsonb

from tests.groups.directory_tables import CODE, STATUSES, TABLES, insert, least
from tests.support.database import rejected_by, rows

pytestmark = pytest.mark.django_db


CHECKS = {
    "community_members_status_known": [{"status": status} for status in ("gone", "ACTIVE", "")],
    "community_members_role_known": [{"primary_role": role} for role in ("wizard", "Developer", "")],
    "community_members_name_not_empty": [{"name": ""}, {"name": " \t\n"}],
    "community_members_telegram_id_not_empty": [{"telegram_id": ""}, {"telegram_id": "  "}],
    "community_members_no_telegram_format": [
        {"telegram_id": each} for each in ("none-", "none-1", "none-FE-P-1234", "none-FE-P-12345 ", "none-fe-p-12345")
    ],
    "community_members_phone_format": [
        {"phone": each} for each in ("", "5511912345678", "+0511912345678", "+55 11 91234", "+123456", "+5511912345\n")
    ],
    "community_members_reputation_not_negative": [{"reputation_score": -1}],
    "community_members_member_id_format": [{"member_id": each} for each in ("247", "#0", "#-1", "#1a", "#007", "# 1")],
    "community_members_verified_fits": [
        {"github_verified": True, "github_username": "ana"},
        {"github_verified": True, "github_verified_at": "2026-03-01Z"},
        {"github_verified": False, "github_verified_at": "2026-03-01Z"},
    ],
    "community_members_not_invited_by_self": [{"member_id": "#424242", "invited_by": "#424242"}],
    "community_members_erased_is_removed": [{"erased_at": "2026-03-01Z"}],
    "community_members_merged_is_removed": [{"merged_into": "#1"}],
    "community_members_not_merged_into_self": [
        {"member_id": "#424242", "merged_into": "#424242", "deleted_at": "2026-03-01Z"}
    ],
    "community_members_github_profile_object": [
        {"github_profile_data": Jsonb(data)} for data in ([1], "octocat", 7, True)
    ],
    "community_invitations_status_known": [{"status": status} for status in ("used", "PENDING", "")],
    "community_invitations_code_format": [
        {"invitation_code": code}
        for code in ("23456789ABCDEFG", "23456789abcdefgh", "0" * 16, "O" * 16, "I" * 16, "1" * 16, "L" * 16, "")
    ],
    "community_invitations_accepted_fits": [
        {"status": "accepted"},
        {"status": "accepted", "accepted_at": "2026-03-01Z"},
        {"accepted_at": "2026-03-01Z"},
        {"status": "expired", "accepted_at": "2026-03-01Z"},
    ],
    "community_invitations_expires_later": [
        {"created_at": "2026-03-01Z", "expires_at": "2026-03-01Z"},
        {"created_at": "2026-03-02Z", "expires_at": "2026-03-01Z"},
    ],
    "community_invitations_not_by_self": [{}],
    "community_invitations_max_uses_range": [{"max_uses": number} for number in (0, -1, 501)],
    "community_invitations_uses_within_limit": [{"uses": -1}, {"uses": 2}, {"max_uses": 5, "uses": 6}],
    "member_relationships_type_known": [{"relationship_type": kind} for kind in ("LIKED", "invited", "")],
    "member_relationships_not_with_self": [{"entity_id_a": "room:7"}],
    "member_relationships_ids_not_empty": [{"entity_id_a": " "}, {"entity_id_b": ""}],
    "member_participation_type_known": [{"event_type": kind} for kind in ("TYPING", "message", "")],
    "member_participation_minutes_fit": [
        {"event_type": "VOICE", "event_metadata": Jsonb({"minutes": minutes})} for minutes in (-1, 1.5, "7", 1441, [7])
    ],
    "member_participation_time_fits": [{"occurred_at": moment} for moment in ("1999-12-31Z", "-infinity")],
    "member_participation_room_not_empty": [{"room_id": ""}],
    "member_participation_details_length": [{"event_metadata": Jsonb({"x": "x" * 100_000})}],
    "member_participation_occurred_at_not_in_future": [
        {"occurred_at": moment} for moment in ("2199-12-31Z", "infinity")
    ],
    "community_members_deleted_at_not_in_future": [{"deleted_at": "2999-01-01Z"}, {"deleted_at": "infinity"}],
    "member_participation_platform_known": [{"platform": platform} for platform in ("signal", "Telegram", "")],
}


def table_of(constraint):
    return next(table for table in TABLES if constraint.startswith(table))


@pytest.mark.seed("003 Kinds")
@pytest.mark.parametrize("constraint", CHECKS)
def test_check_rejects_invalid_row(constraint):
    for bad in CHECKS[constraint]:
        values = least(table_of(constraint), **bad)
        if constraint == "community_invitations_not_by_self":
            values |= {"status": "accepted", "accepted_by": values["created_by"], "accepted_at": "2026-03-01Z"}
        with rejected_by(constraint):
            insert(table_of(constraint), **values)


def test_every_check_has_a_test():
    found = rows("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = ANY (%s::regclass[])", [TABLES])
    # tests/common/test_one_line.py is about the rule for texts of one line, which each short text has.
    assert {name for (name,) in found if not name.endswith("_one_line")} == CHECKS.keys()


@pytest.mark.seed("003 Integration 4", "003 Kinds")
@pytest.mark.parametrize(
    ("table", "column", "values"),
    [
        ("community_members", "status", STATUSES),
        (
            "community_members",
            "primary_role",
            ["student", "developer", "designer", "researcher", "founder", "investor", "other"],
        ),
        (
            "community_members",
            "primary_role",
            ["community_manager", "content_creator"],
        ),
        ("community_invitations", "status", ["pending", "expired", "cancelled"]),
        ("member_relationships", "relationship_type", ["INVITED", "MENTORED", "COLLABORATED", "REFERRED"]),
        ("member_participation", "event_type", ["MESSAGE", "REACTION", "VOICE", "ACTION", "JOIN", "LEAVE"]),
        ("member_participation", "platform", ["telegram", "discord", "twitch", "kick", "github"]),
    ],
)
def test_every_choice_is_accepted(table, column, values):
    for number, value in enumerate(values):
        own = {
            "community_members": {"telegram_id": str(number)},
            "community_invitations": {"invitation_code": f"{CODE[:-1]}{number + 2}"},
        }
        assert insert(table, **least(table, **{column: value}, **own.get(table, {})))[column] == value


def test_unique_values_are_rejected_twice():
    entry = least("community_members")
    insert("community_members", **entry)
    with rejected_by("member_telegram_id_idx"):
        insert("community_members", **entry)
    invitation = least("community_invitations")
    insert("community_invitations", **invitation)
    with rejected_by("invitation_code_idx"):
        insert("community_invitations", **invitation)
    relationship = least("member_relationships")
    insert("member_relationships", **relationship)
    with rejected_by("member_relationships_once"):
        insert("member_relationships", **relationship)
    insert("member_relationships", **relationship | {"relationship_type": "REFERRED"})


def test_github_account_is_verified_once_in_any_case():
    proven = {"github_verified": True, "github_verified_at": "2026-03-01Z"}
    insert("community_members", **least("community_members", telegram_id="a", github_username="Ana-H", **proven))
    # An unverified name does not block another member.
    insert("community_members", **least("community_members", telegram_id="b", github_username="ana-h"))
    with rejected_by("community_members_github_once"):
        insert("community_members", **least("community_members", telegram_id="c", github_username="ANA-H", **proven))
    with rejected_by("community_members_github_once"):
        rows("UPDATE community_members SET github_verified = true, github_verified_at = now() WHERE telegram_id = 'b'")
