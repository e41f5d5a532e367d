"""Saving a new object opens its page, since the list would not show which one it is."""

import pytest
from django.contrib import admin
from django.urls import resolve, reverse

from groups.models import Group
from tests.site.routes import routes
from tests.site.world import address, body_of, undone

pytestmark = pytest.mark.django_db
# A secret is shown once, in the response; a client mission opens its workspace.
SHOWN_ONCE = {"common_apitoken_add", "groups_communityinvitation_add"}
ELSEWHERE = {"missiondeck_deckmission_add": "missiondeck_workspace"}
ADDING = {
    route.name: route for route in routes() if route.template.startswith("admin/") and route.template.endswith("/add/")
}


def admin_of(name: str):
    return next(
        model_admin
        for model, model_admin in admin.site._registry.items()
        if name == f"{model._meta.app_label}_{model._meta.model_name}_add"
    )


def possible(world) -> list[str]:
    """Return the add forms the superuser may open."""
    client = world.client("superuser")
    return [name for name, route in ADDING.items() if client.get(address(world, route, "superuser")).status_code == 200]


def test_saving_new_object_opens_it(world):
    client, opened = world.client("superuser"), {}
    for name in possible(world):
        with undone():
            known = set(admin_of(name).model._base_manager.values_list("pk", flat=True))
            answer = client.post(address(world, ADDING[name], "superuser"), body_of(world, ADDING[name]))
            added = admin_of(name).model._base_manager.exclude(pk__in=known).get()
            if name in SHOWN_ONCE:
                assert answer.status_code == 200, name
                continue
            assert answer.status_code == 302, (name, answer.content[:3000])
            match = resolve(answer["Location"].partition("?")[0])
            opened[name] = (match.url_name, str(added.pk) in str(match.kwargs))
    assert opened == {name: (ELSEWHERE.get(name, name.removesuffix("_add") + "_change"), True) for name in opened}
    assert len(opened) > 15


@pytest.mark.parametrize(
    ("button", "leads_to"), [("_addanother", "groups_mission_add"), ("_continue", "groups_mission_change")]
)
def test_other_save_buttons_open_their_page(world, button, leads_to):
    form = body_of(world, ADDING["groups_mission_add"]) | {button: "1"}
    with undone():
        answer = world.client("superuser").post(reverse("admin:groups_mission_add"), form)
        assert resolve(answer["Location"].partition("?")[0]).url_name == leads_to


def test_return_to_list_keeps_filters(world):
    client = world.client("superuser")
    query = {"_changelist_filters": "status__exact=active"}
    with undone():
        answer = client.post(
            reverse("admin:groups_mission_add"), body_of(world, ADDING["groups_mission_add"]), query_params=query
        )
        assert answer["Location"].endswith("?_changelist_filters=status__exact%3Dactive")
        page = client.get(answer["Location"]).content.decode()
    assert f"{reverse('admin:groups_mission_changelist')}?status__exact=active" in page


def test_new_mission_preselects_only_open_colony(world):
    client = world.client("superuser")

    def chosen():
        return client.get(reverse("admin:groups_mission_add")).context["adminform"].form["parent_group"].value()

    with undone():
        open_colonies = list(Group.objects.colonies().active())
        for colony in open_colonies[1:]:
            Group.objects.filter(parent_group=colony).update(status="archived")
            Group.objects.filter(pk=colony.pk).update(status="archived")
        assert chosen() == open_colonies[0].pk
        Group.objects.create(type="colony", name="Another", min_trust_score=None)
        assert chosen() is None
