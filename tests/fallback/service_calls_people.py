"""A call of each service about people and the library of templates, with what it records."""

from datetime import timedelta

from django.utils import timezone

from fallback.models.choices import ProjectRole
from fallback.services import absences, assignments, comments, configs, github_secrets, library, projects, stars
from groups.models import Member
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    MissionFactory,
    OrganizationFactory,
    ProjectMemberFactory,
    TemplateFactory,
)
from tests.support.factories.groups import MemberFactory


def commented(by):
    return comments.add_comment(actor=by, mission=MissionFactory(), body="When?")


def away(by):
    today = timezone.localdate()
    return absences.add_absence(
        actor=by, member=by, deputy=MemberFactory(), first=today, last=today + timedelta(days=1)
    )


def reviewer_of(project):
    return ProjectMemberFactory(project=project, role=ProjectRole.REVIEWER).member


def handed_over(by):
    mission = MissionFactory()
    ProjectMemberFactory(project=mission.project, role=ProjectRole.MAINTAINER, member=by)
    leaver = reviewer_of(mission.project)
    assignments.assign_mission(actor=Member.objects.system(), mission=mission, kind="work", member=leaver)
    return assignments.hand_over(actor=by, member=leaver, to=reviewer_of(mission.project))


def published():
    return library.publish_template(actor=Member.objects.system(), template=TemplateFactory())


def copied(by):
    return library.copy_template(actor=by, origin=published(), project=TemplateFactory().project)


def updated(by):
    copy = copied(Member.objects.system())
    projects.change_in_project(
        actor=Member.objects.system(), instance=copy.copied_from.origin, changes={"description": "New"}
    )
    return library.take_over_changes(actor=by, template=copy, fields=["description"])


PEOPLE_CASES = {
    "publish_template": (
        "template.published",
        lambda by: library.publish_template(actor=by, template=TemplateFactory()),
        None,
    ),
    "copy_template": ("template.copied", copied, None),
    "take_over_changes": ("template.updated_from_origin", updated, None),
    "order_by_score": (
        "fallback.config_changed",
        lambda by: configs.order_by_score(actor=by, config=ConfigFactory(), enabled=True),
        {"by_score": [False, True]},
    ),
    "add_comment": ("comment.added", commented, None),
    "edit_comment": (
        "comment.edited",
        lambda by: comments.edit_comment(actor=by, comment=commented(by), body="Today?"),
        None,
    ),
    "remove_comment": (
        "comment.removed",
        lambda by: comments.remove_comment(actor=by, comment=commented(MemberFactory())),
        None,
    ),
    "add_absence": ("absence.added", away, None),
    "end_absence": ("absence.ended", lambda by: absences.end_absence(actor=by, absence=away(by)), None),
    "assign_mission": (
        "assignment.changed",
        lambda by: assignments.assign_mission(
            actor=by, mission=(made := MissionFactory()), kind="work", member=reviewer_of(made.project)
        ),
        None,
    ),
    "assign_item": (
        "assignment.changed",
        lambda by: assignments.assign_item(actor=by, item=(made := ItemFactory()), member=reviewer_of(made.project)),
        None,
    ),
    "hand_over": ("assignment.handed_over", handed_over, None),
    "set_star": ("star.added", lambda by: stars.set_star(actor=by, subject=MissionFactory(), starred=True), None),
    "renew_webhook_secret": (
        "organization.webhook_secret_renewed",
        lambda by: github_secrets.renew_webhook_secret(actor=by, organization=OrganizationFactory()),
        None,
    ),
}
