"""The API of the site, put together from its apps."""

from engagement.api import router as engagement_router
from fallback.api import router as fallback_router
from groups.api import routers as groups_routers
from missiondeck.api import routers as missiondeck_routers
from missionsite.common.api import SiteAPI

api = SiteAPI(
    title="Missionsite API",
    version="1.0.0",
    urls_namespace="api",
    description=(
        "Missions, who is in them, and joining and leaving; the community directory, invitations and participation;"
        " projects, their boards, and proposed missions; how members want messages, and what a gateway brings; missions"
        " for clients, with their definition of done, chats and test runs.\n\n"
        "Send a personal token with every request: `Authorization: Bearer ms_…`. A member sees and changes what is"
        " the member's own; staff need the same rights as in the back office. Lists come in pages: follow `next`."
        " Every response carries X-Request-ID and RateLimit headers."
    ),
)
for router in groups_routers:
    api.add_router("", router)
api.add_router("", fallback_router)
api.add_router("", engagement_router)
for router in missiondeck_routers:
    api.add_router("", router)
