"""The API of the site, assembled from the routers of its apps."""

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
        "Missions and their members; the community directory, invitations and participation; projects, boards and"
        " proposed missions; message preferences and the messages of a gateway; client missions with their definition"
        " of done, chats and test runs.\n\n"
        "Authenticate every request with a personal token: `Authorization: Bearer ms_…`. Members see and change their"
        " own data; staff need the same permissions as in the back office. Lists are paginated: follow `next`. Every"
        " response has X-Request-ID and RateLimit headers."
    ),
)
for router in groups_routers:
    api.add_router("", router)
api.add_router("", fallback_router)
api.add_router("", engagement_router)
for router in missiondeck_routers:
    api.add_router("", router)
