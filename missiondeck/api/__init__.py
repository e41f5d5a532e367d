"""The API of client missions, one file a noun.

Staff need the rights of the back office. Whoever a mission is assigned to may read it and what belongs to it, and
nothing else of it. What one may not see is not there.
"""

from missiondeck.api.chats import router as chats_router
from missiondeck.api.checklist import router as checklist_router
from missiondeck.api.missions import router as missions_router
from missiondeck.api.runs import router as runs_router

routers = (missions_router, checklist_router, chats_router, runs_router)

__all__ = ["routers"]
