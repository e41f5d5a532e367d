"""Merging two people into one, and undoing it.

The absorbed account and entry keep their rows and IDs, with `merged_into`. Rows that refer to them move as their apps
registered it; the columns before and after are stored, so that undoing sets back what was not changed since.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from django.apps import apps
from django.db import connection
from django.db.models import Field, Model
from django.utils import timezone

from groups.merge_errors import MergeNotUndone, MergeRejected
from groups.models import (
    CommunityMember,
    CustomValue,
    DuplicateStatus,
    Member,
    MemberMerge,
    Note,
    PossibleDuplicate,
    Tagging,
)
from groups.rules import MERGE_UNDO_DAYS, CommunityStatus
from groups.selectors.people import Person
from missionsite.common.accounts.sessions import end_sessions
from missionsite.common.audit.events import audit
from missionsite.common.references import Moves, merge_steps, references
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

# Merges run one after the other, so that two of them never wait for each other's rows.
_LOCK = "groups.merging"
# Columns of the kept entry that are filled in where they are empty.
_FILLED = ("telegram_username", "organization", "country", "phone", "registration_fee_tx_hash")
_GITHUB = ("github_username", "github_verified", "github_verified_at", "github_profile_data", "reputation_score")


@service
def merge_people(*, actor: Member, kept: Person, absorbed: Person, reason: str = "") -> MemberMerge:
    """Merge a person into another one. What refers to the absorbed person refers to the kept one afterwards.

    Empty fields of the kept entry are filled in, and the higher trust score stays. Raises MergeRejected, which says
    why these two cannot be merged.
    """
    kept, absorbed = _lock([kept, absorbed])
    _check(actor, kept, absorbed)
    both_accounts = kept.account and absorbed.account
    both_entries = kept.entry and absorbed.entry
    merge = MemberMerge.objects.create(
        kept=kept.account,
        absorbed=absorbed.account if both_accounts else None,
        kept_entry=kept.entry,
        absorbed_entry=absorbed.entry if both_entries else None,
        merged_by=actor,
        reason=reason,
    )
    run = _Run(merge)
    if both_accounts:
        run.merge_accounts()
    elif absorbed.account and kept.entry:
        run.move_account(absorbed.account, absorbed.entry, kept.entry)
    if both_entries:
        run.merge_entries()
    elif absorbed.entry and kept.account:
        run.give_entry(absorbed.entry, kept.account)
    PossibleDuplicate.objects.filter(**_pair(kept, absorbed)).update(
        status=DuplicateStatus.MERGED, decided_by=actor, decided_at=timezone.now()
    )
    audit(
        "member.merged",
        actor=actor,
        member=kept.account or absorbed.account,
        number=kept.entry.member_id if kept.entry else None,
        absorbed=absorbed.reference,
        kept=kept.reference,
        merge=str(merge.pk),
        rows=run.count,
        reason=reason,
    )
    return merge


@service
def undo_merge(*, actor: Member, merge: MemberMerge) -> int:
    """Undo a merge of the last MERGE_UNDO_DAYS days; returns how many rows were changed since and stay.

    Raises MergeNotUndone.
    """
    _wait_for_turn()
    current = MemberMerge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    people = [
        Person(current.kept, current.kept_entry),
        Person(current.absorbed, current.absorbed_entry),
    ]
    _lock_rows(people)
    if current.undone_at:
        raise MergeNotUndone("done")
    if current.merged_at < timezone.now() - timedelta(days=MERGE_UNDO_DAYS):
        raise MergeNotUndone("too_late")
    if any(person.is_merged for person in _read_again(people[:1])):
        raise MergeNotUndone("merged_again")
    if any(person.entry and person.entry.erased_at for person in _read_again(people)):
        raise MergeNotUndone("erased")
    stay = _set_back(current)
    current.undone_at, current.undone_by = timezone.now(), actor
    current.save(update_fields=["undone_at", "undone_by"])
    for person in people[1:]:
        if person.account or person.entry:
            PossibleDuplicate.objects.filter(**_pair(people[0], person), status=DuplicateStatus.MERGED).update(
                status=DuplicateStatus.OPEN, decided_by=None, decided_at=None
            )
    entry = current.kept_entry
    audit(
        "member.unmerged",
        actor=actor,
        member=current.kept or (entry.person if entry else None),
        number=current.kept_entry_id,
        merge=str(current.pk),
        kept=stay,
    )
    return stay


class _Run:
    """A merge under way: changes rows and stores what they were."""

    def __init__(self, merge: MemberMerge) -> None:
        self.merge = merge
        self.kept, self.absorbed = merge.kept, merge.absorbed
        self.step = self.count = 0

    def rewrite(self, model: type[Model], sets: dict[str, str], where: str, **values: Any) -> int:
        """Change columns of the rows of a table, and store both versions. Returns how many rows.

        sets: SQL by column; where: SQL on `t`. Both may use %(kept)s and %(absorbed)s, the accounts, and `values`.
        """
        self.step += 1
        table, key = model._meta.db_table, model._meta.pk.column
        columns = list(sets)
        before, after = (
            "jsonb_build_object({})".format(", ".join(f"'{name}', {row}.{name}" for name in columns))
            for row in ("old", "new")
        )
        statement = f"""
            WITH old AS (SELECT t.* FROM {table} t WHERE {where} FOR NO KEY UPDATE),
            new AS (
                UPDATE {table} t SET {", ".join(f"{name} = {sql}" for name, sql in sets.items())}
                FROM old WHERE t.{key} = old.{key}
                RETURNING t.{key}, {", ".join(f"t.{name}" for name in columns)}
            )
            INSERT INTO member_merge_rows (merge_id, step, table_name, row_key, before, after)
            SELECT %(merge)s, %(step)s, '{table}', new.{key}::text, {before}, {after}
            FROM new JOIN old ON old.{key} = new.{key}
        """  # noqa: S608 - names of models, and SQL of this site's code
        known = {
            "kept": self.kept.pk if self.kept else None,
            "absorbed": self.absorbed.pk if self.absorbed else None,
            "merge": self.merge.pk,
            "step": self.step,
        }
        with connection.cursor() as cursor:
            cursor.execute(statement, known | values)
            self.count += cursor.rowcount
            return cursor.rowcount

    def merge_accounts(self) -> None:
        """Move what refers to the absorbed account, then close it."""
        assert self.absorbed
        for step in merge_steps():
            step(self)
        for reference in references():
            model = apps.get_model(reference.model)
            field = model._meta.get_field(reference.field)
            if isinstance(reference, Moves) and field.related_model is Member:
                self._move(reference, model, field.column)
        self.rewrite(
            Member,
            {
                "trust_score": "greatest(t.trust_score, (SELECT trust_score FROM members WHERE id = %(absorbed)s))",
                "is_staff": "t.is_staff OR (SELECT is_staff FROM members WHERE id = %(absorbed)s)",
            },
            "t.id = %(kept)s",
        )
        self.rewrite(
            Member,
            {"is_active": "false", "is_staff": "false", "merged_into_id": "%(kept)s::uuid"},
            "t.id = %(absorbed)s",
        )
        end_sessions(member=self.absorbed)

    def move_account(self, account: Member, source: CommunityMember | None, target: CommunityMember) -> None:
        """Give an account to the kept entry, which has none."""
        if source:
            self.rewrite(CommunityMember, {"person_id": "NULL"}, "t.id = %(source)s", source=source.pk)
        self.rewrite(
            CommunityMember,
            {"person_id": "%(account)s::uuid"},
            "t.id = %(target)s",
            account=account.pk,
            target=target.pk,
        )

    def give_entry(self, entry: CommunityMember, account: Member) -> None:
        """Give an entry to the kept account, which has none."""
        self.rewrite(
            CommunityMember,
            {"person_id": "%(account)s::uuid"},
            "t.id = %(entry)s",
            account=account.pk,
            entry=entry.pk,
        )

    def merge_entries(self) -> None:
        """Fill in the kept entry, and take the absorbed one out of the directory."""
        kept, absorbed = cast(CommunityMember, self.merge.kept_entry), cast(CommunityMember, self.merge.absorbed_entry)
        numbers = {"kept_number": kept.member_id, "absorbed_number": absorbed.member_id}
        other = "(SELECT {} FROM community_members WHERE member_id = %(absorbed_number)s)"
        if absorbed.github_username and not kept.github_username:
            # Verified for one entry only, so it moves.
            values = {f"new_{name}": getattr(absorbed, name) for name in _GITHUB if name != "github_profile_data"}
            profile = other.format("github_profile_data")
            kept_values = {name: f"%(new_{name})s" for name in _GITHUB if name != "github_profile_data"}
            cleared = {"github_verified": "false", "github_verified_at": "NULL"}
            mine = "t.member_id = %(absorbed_number)s"
            self.rewrite(CommunityMember, cleared, mine, **numbers)
            self.rewrite(
                CommunityMember,
                kept_values | {"github_profile_data": profile},
                "t.member_id = %(kept_number)s",
                **numbers,
                **values,
            )
        # Not the kept entry itself nor one that invited it: the tree of invitations has no cycle.
        self.rewrite(
            CommunityMember,
            {"invited_by": "%(kept_number)s"},
            read_sql("groups/queries/merge_invited"),
            **numbers,
        )
        self.rewrite(
            CommunityMember,
            {"merged_into": "%(kept_number)s", "deleted_at": "coalesce(t.deleted_at, now())"},
            "t.member_id = %(absorbed_number)s",
            **numbers,
        )
        people = {"kept_entry": kept.pk, "absorbed_entry": absorbed.pk}
        for model, unless in ((Tagging, "tag_id"), (CustomValue, "field_id"), (Note, "id")):
            same = f"k.entry_id = %(kept_entry)s AND k.{unless} = t.{unless}"
            where = (
                f"t.entry_id = %(absorbed_entry)s AND NOT EXISTS (SELECT FROM {model._meta.db_table} k WHERE {same})"
            )
            self.rewrite(model, {"entry_id": "%(kept_entry)s::uuid"}, where, **people)
        # After the absorbed entry is merged: a fee's transaction is on one entry that was not.
        self.rewrite(
            CommunityMember,
            {name: f"coalesce(t.{name}, {other.format(name)})" for name in _FILLED}
            | {"registration_fee_paid": f"t.registration_fee_paid OR {other.format('registration_fee_paid')}"},
            "t.member_id = %(kept_number)s",
            **numbers,
        )

    def _move(self, reference: Moves, model: type[Model], column: str) -> None:
        where = f"t.{column} = %(absorbed)s AND ({reference.where})"
        if reference.unless:
            same = " AND ".join(f"k.{name} IS NOT DISTINCT FROM t.{name}" for name in reference.unless)
            extra = f" AND ({reference.where.replace('t.', 'k.')})"
            where += (
                f" AND NOT EXISTS (SELECT FROM {model._meta.db_table} k WHERE k.{column} = %(kept)s AND {same}{extra})"
            )
        self.rewrite(model, {column: "%(kept)s::uuid"}, where)


def end_duplicate_memberships(run: Any) -> None:
    """End the absorbed person's active memberships of groups the kept one is in, and move the others. A merge step."""
    from groups.models import Membership

    twice = "EXISTS (SELECT FROM memberships k WHERE k.member_id = %(kept)s AND k.group_id = t.group_id"
    mine = "t.member_id = %(absorbed)s AND "
    twice_active = f"t.status = 'active' AND {twice} AND k.status = 'active')"
    run.rewrite(Membership, {"member_id": "%(kept)s::uuid"}, f"{mine} NOT ({twice_active})")
    run.rewrite(
        Membership,
        {"status": "'left'", "left_at": "greatest(clock_timestamp(), t.joined_at)"},
        f"{mine} {twice_active}",
    )


def withdraw_duplicate_requests(run: Any) -> None:
    """Withdraw open requests to join that one person cannot have twice, or has no use for as a member. A merge step.

    Runs after the memberships moved. The kept person's request stays, and the others move.
    """
    from groups.models import JoinRequest

    undecided = "IN ('open', 'offered')"
    run.rewrite(
        JoinRequest,
        {"status": "'withdrawn'", "decided_by_id": "%(decided_by)s::uuid", "decided_at": "now()"},
        f"""t.status {undecided} AND (
            (t.member_id IN (%(kept)s, %(absorbed)s) AND EXISTS (SELECT FROM memberships k
                WHERE k.member_id = %(kept)s AND k.group_id = t.group_id AND k.status = 'active'))
            OR (t.member_id = %(absorbed)s AND EXISTS (SELECT FROM join_requests k
                WHERE k.member_id = %(kept)s AND k.group_id = t.group_id AND k.status {undecided}))
        )""",  # noqa: S608 - constants
        decided_by=run.merge.merged_by_id,
    )


def _set_back(merge: MemberMerge) -> int:
    """Set back the rows of a merge, the latest step first. Returns how many were changed since, and stay."""
    steps = merge.rows.order_by("-step").values_list("step", "table_name").distinct()
    known = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    stay = 0
    for step, table in list(steps):
        rows = merge.rows.filter(step=step)
        columns = sorted(next(iter(rows.values_list("before", flat=True)[:1]), {}))
        pk = known[table]._meta.pk
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                UPDATE {table} t SET {", ".join(f"{name} = b.{name}" for name in columns)}
                FROM member_merge_rows m, jsonb_populate_record(NULL::{table}, m.before) b
                WHERE m.merge_id = %s AND m.step = %s AND t.{pk.column} = m.row_key::{_key_type(pk)}
                    AND to_jsonb(t) @> m.after
                """,  # noqa: S608 - names of models
                [merge.pk, step],
            )
            stay += rows.count() - cursor.rowcount
    return stay


def _key_type(pk: Field) -> str:
    return {"UUIDField": "uuid", "BigAutoField": "bigint", "AutoField": "integer"}.get(pk.get_internal_type(), "text")


def _wait_for_turn() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_LOCK])


def _lock(people: Iterable[Person]) -> list[Person]:
    """Wait for the turn, lock the rows of both people, and return them as they are now."""
    _wait_for_turn()
    people = list(people)
    _lock_rows(people)
    return _read_again(people)


def _lock_rows(people: Iterable[Person]) -> None:
    """Lock accounts, then entries, in the order of their IDs, as everything that locks two people does."""
    people = list(people)
    accounts = sorted(str(person.account.pk) for person in people if person.account)
    entries = sorted(str(person.entry.pk) for person in people if person.entry)
    list(Member.objects.filter(pk__in=accounts).order_by("pk").select_for_update().values_list("pk"))
    list(CommunityMember.objects.filter(pk__in=entries).order_by("pk").select_for_update().values_list("pk"))


def _read_again(people: Iterable[Person]) -> list[Person]:
    return [
        Person(
            Member.objects.get(pk=person.account.pk) if person.account else None,
            CommunityMember.objects.get(pk=person.entry.pk) if person.entry else None,
        )
        for person in people
    ]


def _pair(kept: Person, absorbed: Person) -> dict[str, Any]:
    first, second = sorted((kept.key, absorbed.key))
    return {"first": first, "second": second}


def _check(actor: Member, kept: Person, absorbed: Person) -> None:
    """Raise MergeRejected for people who cannot be merged."""
    if kept.key == absorbed.key:
        raise MergeRejected("same")
    if kept.is_merged or absorbed.is_merged:
        raise MergeRejected("merged")
    for person in (kept, absorbed):
        if person.account and person.account.is_system:
            raise MergeRejected("system")
        if person.entry and person.entry.erased_at:
            raise MergeRejected("erased")
    accounts = [person.account for person in (kept, absorbed) if person.account]
    if any(account.is_staff or account.is_superuser for account in accounts) and not actor.is_superuser:
        raise MergeRejected("staff")
    if absorbed.account and absorbed.account.is_superuser and kept.account:
        raise MergeRejected("administrator")
    banned = [person.entry is not None and person.entry.status == CommunityStatus.BANNED for person in (kept, absorbed)]
    if banned == [False, True]:
        raise MergeRejected("banned")
