"""People and objects of the tests of the whole site, and a valid request to each URL."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group as DjangoGroup
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.http import StreamingHttpResponse
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from groups.models import Event, Member
from groups.services.groups import archive_group, update_group
from groups.services.members import update_member
from groups.services.memberships import change_role, join_mission, leave_mission
from groups.services.tasks import cancel_task, claim_task, complete_task, update_task
from missionsite.common.audit.security import record_security_event
from missionsite.common.models import AuditEntry, BulkEdit, RetentionRun
from missionsite.common.scopes import all_scopes
from missionsite.models import Role
from missionsite.roles import ROLES
from tests.portal.helpers import typed
from tests.site import directory, engagement, joining, missiondeck, projects
from tests.site.routes import Route
from tests.support.admin import OfficeClient
from tests.support.factories.groups import (
    ColonyFactory,
    MemberFactory,
    MembershipFactory,
    MissionFactory,
    StaffFactory,
    TaskFactory,
)
from tests.support.factories.tokens import make_token

PASSWORD = "an old password of one's own"
NEW_PASSWORD = "a new password no one guesses"
# Tables a request may write to without a change: sessions, request counts, callers, idempotency keys, and times of
# last use.
PASSING = (
    "django_session",
    "api_request_counts",
    "password_delays",
    "pghistory_context",
    "api_idempotency_keys",
    "security_events",
    "audit_entries",
    "audit_details",
    "audit_actors",
    "audit_pending",
    "retention_runs",
    "usersessions_usersession",
    "account_emailaddress",
)
_LAST = (
    "ARRAY['last_login', 'last_used_at', 'last_read_at', 'last_activity_at', 'took_part_week', 'took_part_week_before']"
)


@dataclass
class World:
    """Staff of every role, a member, and at least one object for every URL."""

    staff: dict[str, Member] = field(default_factory=dict)
    objects: dict[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str):
        return self.objects[name]

    def give_role(self, actor: str, role: str) -> None:
        """Add a role to a person, for an operation that asks for the role and not for its rights, such as signing."""
        self.staff[actor].groups.add(DjangoGroup.objects.get(name=role))

    def client(self, actor: str) -> Client:
        """Return a client with a log-in of this person; without one for `anonymous`."""
        client = OfficeClient(raise_request_exception=False)
        if actor != "anonymous":
            client.force_login(self.staff[actor])
        return client

    def token_client(self, actor: str) -> Client:
        """Return a client with a token of this person that has every scope."""
        client = Client(raise_request_exception=False)
        if actor != "anonymous":
            client = Client(
                headers={"Authorization": f"Bearer {self.objects[f'token of {actor}']}"}, raise_request_exception=False
            )
        return client


def build() -> World:
    """Create the people and objects in the database."""
    world = World()
    for role in ROLES:
        member = StaffFactory(display_name=role)
        member.groups.add(DjangoGroup.objects.get(name=role))
        world.staff[role] = member
    world.staff["superuser"] = StaffFactory(display_name="Superuser", is_superuser=True)
    world.staff["no role"] = StaffFactory(display_name="Staff without a role")
    world.staff["member"] = MemberFactory(display_name="A member", trust_score=100)
    world.staff |= projects.people()
    inactive = StaffFactory(display_name="Inactive staff")
    inactive.groups.add(DjangoGroup.objects.get(name="Administrator"))
    world.staff["inactive"] = inactive
    for actor, person in world.staff.items():
        token, plaintext = make_token(person)
        world.objects |= {f"token of {actor}": plaintext, f"token row of {actor}": token}
    # One hash for all: hashing is slow.
    Member.objects.filter(pk__in=[person.pk for person in world.staff.values()]).update(
        password=make_password(PASSWORD)
    )
    for person in world.staff.values():
        person.refresh_from_db()
    inactive.is_active = False
    inactive.save(update_fields=["is_active"])
    _people(world)
    _things(world)
    projects.add_projects(world.objects, world.staff)
    directory.add_directory(world.objects, world.staff)
    engagement.add_engagement(world.objects, world.staff)
    missiondeck.add_missiondeck(world.objects, world.staff)
    return world


def _people(world: World) -> None:
    """Create members for the requests, each with a change to revert."""
    things = world.objects
    things["member"] = MemberFactory(display_name="Bob", trust_score=100)
    update_member(actor=Member.objects.system(), member=things["member"], display_name="Robert")
    things["deactivated member"] = MemberFactory(display_name="Dora", is_active=False)
    things["administrator"] = StaffFactory(display_name="Another superuser", is_superuser=True)
    update_member(actor=Member.objects.system(), member=things["administrator"], display_name="The other superuser")
    things["colleague"] = StaffFactory(display_name="Colleague")
    update_member(actor=Member.objects.system(), member=things["colleague"], display_name="A colleague")
    # A former administrator: the history contains the removal of the permissions.
    things["former administrator"] = StaffFactory(display_name="Former superuser", is_superuser=True)
    update_member(
        actor=Member.objects.system(), member=things["former administrator"], is_staff=False, is_superuser=False
    )
    things["former colleague"] = StaffFactory(display_name="Former colleague")
    update_member(actor=Member.objects.system(), member=things["former colleague"], is_staff=False)


def _things(world: World) -> None:
    things = world.objects
    things["colony"] = ColonyFactory(name="Colony")
    update_group(actor=Member.objects.system(), group=things["colony"], name="The colony")
    # Has no missions, so it can be archived.
    things["empty colony"] = ColonyFactory(name="Empty colony")
    things["archived colony"] = ColonyFactory(name="Old colony")
    archive_group(actor=Member.objects.system(), group=things["archived colony"])
    things["mission"] = MissionFactory(name="Garden", parent_group=things["colony"])
    update_group(actor=Member.objects.system(), group=things["mission"], name="The garden")
    things["archived mission"] = MissionFactory(name="Old garden", parent_group=things["colony"])
    archive_group(actor=Member.objects.system(), group=things["archived mission"])
    things["membership"] = join_mission(
        actor=Member.objects.system(), member=MemberFactory(), mission=things["mission"]
    )
    change_role(actor=Member.objects.system(), membership=things["membership"], role="Lead")
    gone = MemberFactory()
    join_mission(actor=gone, member=gone, mission=things["mission"])
    things["ended membership"] = leave_mission(actor=gone, member=gone, mission=things["mission"])
    for state in ("open task", "claimed task", "done task", "cancelled task"):
        things[state] = TaskFactory(group=things["mission"], title=state)
    update_task(actor=Member.objects.system(), task=things["open task"], title="An open task")
    current = things["membership"].member
    claim_task(actor=current, task=things["claimed task"], member=current)
    claim_task(actor=current, task=things["done task"], member=current)
    complete_task(actor=Member.objects.system(), task=things["done task"])
    cancel_task(actor=Member.objects.system(), task=things["cancelled task"], reason="Not needed")
    things["event"] = Event.objects.order_by("pk").first()
    things["role"] = Role.objects.create(name="A role made by hand")
    things["kept role"] = Role.objects.get(name="Auditor")
    for name, status in (("job", "todo"), ("failed job", "failed"), ("running job", "doing")):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
                " VALUES ('default', 'a task', '{}', %s) RETURNING id",
                [status],
            )
            things[name] = ProcrastinateJob.objects.get(pk=cursor.fetchone()[0])
    things["security event"] = record_security_event("session.started", member=world.staff["superuser"])
    things["retention run"] = RetentionRun.objects.create(
        rule="audit", status="done", started_by=world.staff["superuser"]
    )
    things["bulk edit"] = BulkEdit.objects.create(
        model="groups.task", fields=["title"], total=1, started_by=Member.objects.system()
    )
    things["audit entry"] = AuditEntry.objects.latest("pk")
    # A mission with all people, for leaving.
    things["crowded mission"] = MissionFactory(name="Crowd", parent_group=things["colony"])
    for person in world.staff.values():
        MembershipFactory(member=person, group=things["crowded mission"])
    joining.add_joining(things, world.staff)


# The object for `<object_id>`, by model, and by the name of a route that needs another one.
OBJECTS = {
    "missionsite/role": "role",
    "common/auditentry": "audit entry",
    "common/retentionrun": "retention run",
    "common/bulkedit": "bulk edit",
    "common/securityevent": "security event",
    "procrastinate/procrastinatejob": "job",
    "groups/event": "event",
    "groups/membership": "membership",
    "groups/mission": "mission",
    "groups/colony": "colony",
    "groups/group": "mission",
    "groups/member": "member",
    "groups/task": "open task",
    "groups_membership_rejoin": "ended membership",
    "groups_mission_restore": "archived mission",
    "groups_colony_archive": "empty colony",
    "groups_colony_restore": "archived colony",
    "groups_member_activate": "deactivated member",
    "groups_task_complete": "claimed task",
    "groups_task_reopen": "cancelled task",
    **directory.OBJECTS,
    **joining.OBJECTS,
    **engagement.OBJECTS,
    **missiondeck.OBJECTS,
    **projects.OBJECTS,
}


def object_of(world: World, route: Route, actor: str, variant: str = ""):
    """Return the object of a route: of its variant, else of its name or model."""
    if variant == "self":
        return world.staff.get(actor)
    if variant == "another's":
        return world["token row of member"]
    if variant:
        return world[variant]
    model = model_of(route)
    if model == "common/apitoken":
        # Each person has a token.
        return world[f"token row of {actor if actor in world.staff else 'superuser'}"]
    return world[OBJECTS.get(route.name) or OBJECTS[model]]


def model_of(route: Route) -> str:
    return "/".join(route.template.split("/")[1:3])


def address(world: World, route: Route, actor: str, variant: str = "") -> str:
    """Return the URL of a route with existing ids."""
    values = {}
    for part in route.parts:
        match part:
            case "object_id" if "content_type_id" not in route.parts:
                values[part] = object_of(world, route, actor, variant).pk
            case "object_id":
                values[part] = world["member"].pk
            case "entry":
                values[part] = last_change(object_of(world, route, actor, variant))
            case "content_type_id":
                values[part] = ContentType.objects.get_for_model(Member).pk
            case "key" if not route.template.startswith("account/"):
                values[part] = world[joining.MISSIONS.get(route.name, "mission")].stable_id
            # Of links that no one was sent.
            case "key" | "uidb36" | "pk" if route.template.startswith("account/"):
                values[part] = "1"
            case _ if part in joining.PARTS and route.template.startswith(joining.BELOW):
                values[part] = joining.part(world.objects, part, route.name)
            case "note_id":
                values[part] = joining.part(world.objects, part, route.name)
            case "provider_id":
                values[part] = "oidc"
            case "code":
                values[part] = world["open invitation"].code
            # Of no one.
            case "view":
                values[part] = 1
            case "rule":
                values[part] = "audit"
            case "app_label":
                values[part] = "groups"
            case "url" | "rest":
                values[part] = "nowhere/at/all/"
            case _ if part in missiondeck.PARTS and route.template.startswith(missiondeck.BELOW):
                values[part] = missiondeck.part(world.objects, part, route.name)
            case _ if part in directory.PARTS:
                values[part] = directory.part(world.objects, part, route.name)
            case _ if part in engagement.PARTS:
                values[part] = engagement.part(world.objects, part, route.name)
            case _ if part in projects.PARTS:
                values[part] = projects.part(world.objects, part, route.name, actor)
            case _:
                raise LookupError(f"Say in tests/site/world.py what <{part}> of {route.template} is filled with.")
    return route.fill(**values)


def last_change(obj) -> int:
    """Return the newest entry of an object's history; 1 when there is none."""
    entry = obj.history.order_by("-pgh_id").first() if hasattr(obj, "history") else None
    return entry.pgh_id if entry else 1


def query_of(world: World, route: Route) -> dict:
    """Return the query parameters a route needs."""
    if route.name == "autocomplete":
        return {"app_label": "groups", "model_name": "membership", "field_name": "member", "term": "a"}
    if route.name == "fallback_review_missions":
        return {"project": world["project"].pk, "q": "board"}
    if route.name == "groups_possibleduplicate_compare":
        first, second = world["alike"]
        return {"first": first.member_id, "second": second.member_id}
    return {"s": "garden"} if route.name == "search" else {}


REASON = {"reason": "Because it is time"}
MEMBERSHIP = {"role": "Member", **REASON}


def body_of(world: World, route: Route) -> dict:
    """Return valid data of a form of this route."""
    form = {
        "login": {"username": world.staff["superuser"].email, "password": PASSWORD},
        "password_change": {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD},
        "join": {"code": world["open invitation"].spelled_code},
        "register": typed(),
        "language": {"language": "pt-br", "next": "/me/"},
        "messages": {
            "timezone": "Europe/Lisbon",
            "locale": "en",
            "preferred_destination": "individual",
            "wants_messages": "yes",
        },
        "zone": {"timezone": "Europe/Lisbon"},
        "edit": {"name": "Renamed", "primary_role": "founder"},
        "password": {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD},
        "missionsite_role_add": {"name": "A new role"},
        "missionsite_role_change": {"name": "A renamed role"},
        "common_apitoken_add": {"name": "A program", "kind": "program", "scopes": sorted(all_scopes()), "days": "30"},
        "groups_membership_add": {"member": world["member"].pk, "group": world["mission"].pk, **MEMBERSHIP},
        "groups_membership_leave": REASON,
        "groups_membership_role": {**MEMBERSHIP, "role": "Mentor"},
        "groups_membership_rejoin": MEMBERSHIP,
        "groups_mission_add": {"name": "A new mission", "parent_group": world["colony"].pk, **joining.OPEN},
        "groups_mission_change": {"name": "Renamed", "parent_group": world["colony"].pk, **joining.OPEN},
        "groups_mission_add-member": {"member": world["member"].pk, **MEMBERSHIP},
        "groups_mission_archive": REASON,
        "groups_mission_restore": REASON,
        "groups_colony_add": {"name": "A new colony"},
        "groups_colony_change": {"name": "A renamed colony"},
        "groups_colony_add-member": {"member": world["member"].pk, **MEMBERSHIP},
        "groups_colony_archive": REASON,
        "groups_colony_restore": REASON,
        "groups_member_add": {"display_name": "Nora", "email": "nora@example.org", "trust_score": "0"},
        "groups_member_change": {"display_name": "Renamed", "email": "renamed@example.org", "trust_score": "7"},
        "groups_member_add-to-mission": {"group": world["mission"].pk, **MEMBERSHIP},
        "groups_member_password": {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"},
        "groups_member_view-as": REASON,
        "groups_task_add": {"group": world["mission"].pk, "title": "A new task", "reward_points": "0"},
        "groups_task_change": {"title": "A renamed task", "reward_points": "3"},
        "groups_task_claim": {"member": world["membership"].member_id},
        "groups_task_reopen": REASON,
        "groups_task_cancel": REASON,
        **directory.forms(world.objects),
        **joining.forms(world.objects),
        **engagement.forms(world.objects),
        **missiondeck.forms(world.objects),
        **projects.forms(world.objects),
    }
    return form.get(route.name, {})


def json_of(world: World, route: Route, method: str) -> dict | None:
    """Return a valid body of an API operation; None for one without a body."""
    known: dict[tuple[str, str], dict] = {}
    for of_app in (directory, joining, engagement, missiondeck, projects):
        known |= of_app.bodies(world.objects)
    return known.get((route.template, method))


@contextmanager
def undone() -> Iterator[None]:
    """Roll back the changes made within.

    Constraints wait for its end as they would in a transaction of its own: a form that is saved has them checked at
    once, and PostgreSQL goes on with that after a savepoint in which one inside it did so was rolled back.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        transaction.set_rollback(True)


def first_bytes(answer: StreamingHttpResponse) -> bytes:
    """Return the first bytes of a live page or a file, and close it."""
    first = next(answer.streaming_content, b"")
    # Closing the test client's wrapper closes the response, but not the connection of the test.
    answer._iterator.close()
    return first


def readable_tables() -> list[str]:
    """The tables in which a request may change something.

    Tables the site may not read are left out: it may not write them either.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_stat_user_tables WHERE has_table_privilege(relid, 'SELECT')")
        return [name for (name,) in cursor.fetchall() if not name.startswith(PASSING)]


def fingerprint(tables: Iterable[str]) -> dict[str, str]:
    """What each of these tables holds, as a digest; last log-ins, activity and uses of tokens and feeds left out."""
    parts = [
        f"SELECT '{name}', md5(string_agg(row, ',' ORDER BY row)) FROM "
        f'(SELECT (to_jsonb(t) - {_LAST})::text AS row FROM "{name}" t) AS each'
        for name in tables
    ]
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


class Watch:
    """Detects changes by requests; compares the database with its state at the start."""

    def __init__(self) -> None:
        self.before = fingerprint(readable_tables())
        self.written = self._written()

    def changed(self) -> bool:
        """Whether the database holds something else than at the start; earlier requests were taken back."""
        tables = self._wrote_to() & self.before.keys()
        return any(digest != self.before[name] for name, digest in fingerprint(tables).items())

    def wrote(self) -> bool:
        """Whether a row was written since this was asked last, though it may have been taken back."""
        return bool(self._wrote_to() & self.before.keys())

    def _wrote_to(self) -> set[str]:
        """The tables written to since this was asked last."""
        written, last = self._written(), self.written
        self.written = written
        return {name for name, rows in written.items() if rows != last.get(name, 0)}

    @staticmethod
    def _written() -> dict[str, int]:
        """Rows this transaction has written to each table so far, those taken back included."""
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables
                   WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"""
            )
            return dict(cursor.fetchall())
