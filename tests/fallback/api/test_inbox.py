"""The API of a member's inbox, absences and stars, and of the library of templates."""

from datetime import timedelta

import pytest
from django.utils import timezone

from fallback.models import MemberAbsence, MissionStar
from fallback.services.notifications import notify
from fallback.services.projects import change_in_project
from groups.models import Member
from tests.fallback.api.calls import NO_ONE, at, person, post, read_pages, rejected
from tests.support.factories.fallback import MissionFactory, ProjectFactory, ProjectMemberFactory, TemplateFactory
from tests.support.factories.groups import MemberFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


def notified(member, project, number: int = 1) -> list[str]:
    system = Member.objects.system()
    made = [
        notify(actor=system, member=member, kind="mention", title="You are mentioned in a comment", project=project)
        for _number in range(number)
    ]
    return [each.pk for each in made]


@pytest.mark.seed("004 Notifications")
def test_inbox_is_listed_read_and_snoozed(project, bob, client):
    keys = notified(bob, project, 3)
    (foreign,) = notified(person(project, "viewer"), project)
    rows, pages = read_pages(client, "/api/inbox?limit=2")
    assert ({each["id"] for each in rows}, pages) == (set(keys), 2)
    assert (rows[0]["kind"], rows[0]["project"], rows[0]["read_at"]) == ("mention", project.pk, None)
    assert post(client, "/api/inbox/read", notifications=[keys[0], foreign]).json() == {"read": 1}
    assert len(client.get("/api/inbox?unread=true").json()["items"]) == 2
    until = (timezone.now() + timedelta(days=1)).isoformat()
    snoozed = post(client, f"/api/inbox/{keys[1]}/snooze", until=until)
    assert (snoozed.status_code, snoozed.json()["id"]) == (200, keys[1])
    assert {each["id"] for each in client.get("/api/inbox").json()["items"]} == {keys[0], keys[2]}
    for key in (foreign, NO_ONE):
        rejected(post(client, f"/api/inbox/{key}/snooze", until=until), 404, "not_found")
    rejected(
        post(client, f"/api/inbox/{keys[0]}/snooze", until="2001-01-01T00:00:00Z"), 422, "snooze_in_the_past", "/until"
    )
    assert post(client, "/api/inbox/read", notifications=None).json() == {"read": 2}


def test_absence_is_entered_and_ended(project, bob, client):
    deputy, today = MemberFactory(), timezone.localdate()
    days = {"first": f"{today}", "last": f"{today + timedelta(days=3)}"}
    made = post(client, "/api/absences", key="k1", deputy=deputy.member_id, **days)
    assert (made.status_code, made.json()["member"], made.json()["deputy"]) == (201, bob.member_id, deputy.member_id)
    assert post(client, "/api/absences", key="k1", deputy=deputy.member_id, **days)["Idempotency-Replayed"] == "true"
    assert [each["id"] for each in api_client(deputy).get("/api/absences").json()] == [made.json()["id"]]
    rejected(post(client, "/api/absences", deputy="FE-P-99999", **days), 422, "input_rejected", "/deputy")
    rejected(post(client, "/api/absences", deputy=bob.member_id, **days), 422, "own_deputy", "/deputy")
    other = post(client, "/api/absences", deputy=bob.member_id, member=deputy.member_id, **days)
    rejected(other, 403, "not_allowed")
    end = f"/api/absences/{made.json()['id']}/end"
    rejected(post(api_client(MemberFactory()), end), 404, "not_found")
    rejected(post(api_client(deputy), end), 403, "not_allowed")
    assert post(client, end).status_code == 200
    assert MemberAbsence.objects.get().ends_at <= timezone.now()
    assert client.get("/api/absences").json() == []


def test_projects_and_missions_are_starred(project, bob, client):
    mission, hidden = MissionFactory(project=project), MissionFactory(project=ProjectFactory(privacy="private"))
    assert post(client, "/api/stars", project=project.pk, starred=True).json() == {"starred": True}
    post(client, "/api/stars", mission=mission.pk, starred=True)
    found = client.get("/api/stars").json()
    assert ([each["id"] for each in found["projects"]], [each["id"] for each in found["missions"]]) == (
        [project.pk],
        [mission.pk],
    )
    for body in ({"mission": hidden.pk}, {"project": hidden.project_id}, {"mission": NO_ONE}):
        rejected(post(client, "/api/stars", starred=True, **body), 404, "not_found")
    for body in ({}, {"mission": mission.pk, "project": project.pk}):
        assert post(client, "/api/stars", starred=True, **body).status_code == 422
    post(client, "/api/stars", mission=mission.pk, starred=False)
    assert not MissionStar.objects.exists()


def test_template_is_published_copied_and_updated(project, client):
    maintainer, origin = person(project, "maintainer"), project.fallback_templates.first()
    own, rejecting = api_client(maintainer), {"template": origin.pk}
    rejected(post(client, "/api/library", **rejecting), 403, "not_allowed")
    rejected(api_client(MemberFactory()).get("/api/library"), 403, "not_allowed")
    assert post(own, "/api/library", template=origin.pk).json()["organization"] == "Futures Edge"
    assert [each["id"] for each in client.get("/api/library").json()["items"]] == [origin.pk]
    target = TemplateFactory().project
    other = api_client(ProjectMemberFactory(project=target, role="maintainer", member=MemberFactory()).member)
    rejected(post(own, f"/api/library/{origin.pk}/copy", project=target.pk), 404, "not_found")
    copied = post(other, f"/api/library/{origin.pk}/copy", project=target.pk)
    assert (copied.status_code, copied.json()["name"], copied.json()["enabled"]) == (201, origin.name, False)
    changes, take = (f"/api/library/copies/{copied.json()['id']}/{each}" for each in ("changes", "take-over"))
    rejected(post(other, take, fields=["name"]), 409, "no_change_at_origin")
    change_in_project(actor=maintainer, instance=origin, changes={"name": "Check all links"})
    assert [each["after"] for each in other.get(changes).json()] == ["Check all links"]
    rejected(own.get(changes), 404, "not_found")
    assert post(other, take, fields=["name"]).json()["name"] == "Check all links"
    rejected(post(other, f"/api/library/{origin.pk}/withdraw"), 404, "not_found")
    assert post(own, f"/api/library/{origin.pk}/withdraw").status_code == 200
    assert client.get("/api/library").json()["items"] == []
    assert client.get(at(project)).status_code == 200
