"""What mentions and references in the texts of a workspace link to, for the user who reads them."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse

from missiondeck.admin.base import VIEW_PERMISSION
from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.models import DeckMission
from missiondeck.selectors.citizens import citizen_names
from missiondeck.services.notices import people_of
from missionsite.common.markdown_links import Links, numbers_in

# References of a page that are looked up.
MOST_REFERENCES = 200


def links_in(request: HttpRequest, mission: DeckMission, texts: Iterable[str]) -> Links:
    """The links of these texts: missions, the chats with citizens, and members, each if the user may view it."""
    texts = list(texts)
    if not request.user.has_perm(VIEW_PERMISSION):
        return Links()
    numbers = sorted({number for text in texts for number in numbers_in(text)})[:MOST_REFERENCES]
    found = DeckMission.objects.filter(number__in=numbers).values_list("number", "pk") if numbers else ()
    names: dict[str, str] = {}
    if any("@" in text for text in texts):
        if request.user.has_perm("groups.view_member"):
            for member in people_of(mission):
                url = reverse("admin:groups_member_change", args=[member.pk])
                names |= {member.member_id: url, member.display_name: url}
        names |= {name: WorkspaceUrl(mission.pk, citizen=key).href for key, name in citizen_names().items()}
    return Links(names, {number: WorkspaceUrl(key).href for number, key in found})
