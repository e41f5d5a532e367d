"""The library of templates: publishing, copying, and taking over what changed at the origin."""

import pytest
from django.urls import reverse

from fallback.errors import NoChangeAtOrigin, TemplateNeedsParts, TemplateNotPublished
from fallback.models import MissionFallbackTemplate, Notification
from fallback.selectors.library import changes_at_origin, copy_of
from fallback.services.library import copy_template, publish_template, take_over_changes
from fallback.services.projects import change_in_project
from groups.models import Member
from tests.support.admin import client_of, page_text
from tests.support.factories.fallback import (
    ProjectFactory,
    ProjectMemberFactory,
    TemplateFactory,
    actor_of,
    flow_of,
    repository_of,
)
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db
LIBRARY = "admin:fallback_library"


def maintainer_of(project):
    return ProjectMemberFactory(project=project, role="maintainer", member=StaffFactory()).member


@pytest.fixture
def origin():
    template = TemplateFactory(name="Check links", description="Open each link.", tags=["docs"])
    return publish_template(actor=Member.objects.system(), template=template)


@pytest.fixture
def project():
    project = ProjectFactory()
    for part in (flow_of, actor_of, repository_of):
        part(project)
    return project


def edit(template, **changes):
    return change_in_project(actor=Member.objects.system(), instance=template, changes=changes)


def changed_fields(template) -> list[str]:
    return [each.field for each in changes_at_origin(copy_of(template))]


@pytest.mark.seed("004 Library")
def test_maintainer_copies_a_published_template_on_the_page(origin, project):
    TemplateFactory(name="Not shared")
    maintainer = maintainer_of(project)
    browser = client_of(maintainer)
    page = page_text(browser.get(reverse(LIBRARY)))
    assert "Check links" in page
    assert origin.project.organization.name in page
    assert "Not shared" not in page
    copy = reverse("admin:fallback_library_copy", args=[origin.pk])
    # Only to a project that the user maintains.
    other = TemplateFactory().project
    assert "Select a valid choice" in page_text(browser.post(copy, {"project": other.pk}))
    assert browser.post(copy, {"project": project.pk}).status_code == 302
    made = MissionFallbackTemplate.objects.get(project=project)
    assert (made.name, made.description, made.tags, made.enabled) == ("Check links", "Open each link.", ["docs"], False)
    assert made.flow.project == project
    assert "Check links (" in page_text(
        browser.get(reverse("admin:fallback_missionfallbacktemplate_change", args=[made.pk]))
    )
    viewer = ProjectMemberFactory(project=project, role="viewer", member=StaffFactory()).member
    assert "Copy to a project" not in page_text(client_of(viewer).get(reverse(LIBRARY)))
    assert client_of(viewer).get(copy).status_code == 403
    assert client_of(StaffFactory()).get(reverse(LIBRARY)).status_code == 403


def test_template_is_published_and_withdrawn_by_maintainers(project):
    template = TemplateFactory(project=project)
    publish = reverse("admin:fallback_missionfallbacktemplate_publish", args=[template.pk])
    client_of(ProjectMemberFactory(project=project, role="reviewer", member=StaffFactory()).member).post(publish)
    template.refresh_from_db()
    assert template.published_at is None
    browser = client_of(maintainer_of(project))
    assert browser.post(publish).status_code == 302
    template.refresh_from_db()
    assert template.published_at
    browser.post(reverse("admin:fallback_missionfallbacktemplate_withdraw", args=[template.pk]))
    with pytest.raises(TemplateNotPublished):
        copy_template(actor=Member.objects.system(), origin=template, project=project)
    types = project.activity.filter(type__in=("template.published", "template.withdrawn")).order_by("occurred_at", "id")
    assert [each.type for each in types] == ["template.published", "template.withdrawn"]


# DMPRoadmap/roadmap, issue 1390: an edit of a copy marked the other copies as outdated.
@pytest.mark.seed("004 Library")
def test_only_a_change_of_the_origin_is_an_update(origin, project):
    system = Member.objects.system()
    maintainer, others = maintainer_of(project), ProjectFactory()
    for part in (flow_of, actor_of, repository_of):
        part(others)
    first = copy_template(actor=system, origin=origin, project=project)
    second = copy_template(actor=system, origin=origin, project=others)
    edit(first, description="Open each link twice.")
    edit(origin, enabled=False, max_open=3)
    assert changed_fields(first) == changed_fields(second) == []
    assert not Notification.objects.exists()
    edit(origin, description="Open each link slowly.", name="Check all links")
    assert changed_fields(first) == changed_fields(second) == ["name", "description"]
    assert list(Notification.objects.values_list("member", "kind")) == [(maintainer.pk, "template.updated")]
    publish_template(actor=system, template=origin, published=False)
    assert changed_fields(second) == []


@pytest.mark.seed("004 Library")
def test_chosen_changes_are_taken_over_and_the_rest_stays(origin, project):
    copy = copy_template(actor=Member.objects.system(), origin=origin, project=project)
    edit(copy, description="Our own <b>text</b>.")
    edit(origin, description="Open each link slowly.", name="Check all links")
    browser = client_of(maintainer_of(project))
    page = reverse("admin:fallback_missionfallbacktemplate_take-over", args=[copy.pk])
    answer = browser.get(page)
    text = " ".join(answer.content.decode().split())
    assert "Open each <del>link.</del> <ins>link slowly.</ins>" in text
    assert "(here: Our own &lt;b&gt;text&lt;/b&gt;.)" in text
    # What was edited here is not chosen at first.
    assert answer.context["form"]["fields_to_take"].initial == ["name"]
    assert browser.post(page, {"fields_to_take": ["name"]}).status_code == 302
    copy.refresh_from_db()
    assert (copy.name, copy.description) == ("Check all links", "Our own <b>text</b>.")
    assert changed_fields(copy) == []
    with pytest.raises(NoChangeAtOrigin):
        take_over_changes(actor=Member.objects.system(), template=copy, fields=["description"])
    assert project.activity.get(type="template.updated_from_origin").payload["left"] == ["description"]


def test_copy_needs_parts_and_outlives_its_origin(origin):
    empty = ProjectFactory()
    with pytest.raises(TemplateNeedsParts):
        copy_template(actor=Member.objects.system(), origin=origin, project=empty)
    copy = copy_template(actor=Member.objects.system(), origin=origin, project=TemplateFactory().project)
    MissionFallbackTemplate.objects.filter(pk=origin.pk).update(published_at=None)
    assert copy_of(copy).origin == origin
