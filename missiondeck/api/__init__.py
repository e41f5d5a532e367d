"""The API of client missions, one file per noun.

Staff need the permissions of the back office. The assignee of a mission may read the mission and what belongs to it.
Anything else answers 404.
"""

from missiondeck.api.chats import router as chats_router
from missiondeck.api.checklist import router as checklist_router
from missiondeck.api.comments import router as comments_router
from missiondeck.api.costs import router as costs_router
from missiondeck.api.deck_tests import router as deck_tests_router
from missiondeck.api.evidence import router as evidence_router
from missiondeck.api.gates import router as gates_router
from missiondeck.api.missions import router as missions_router
from missiondeck.api.runs import router as runs_router
from missiondeck.api.templates import router as templates_router

routers = (
    missions_router,
    checklist_router,
    comments_router,
    templates_router,
    costs_router,
    evidence_router,
    chats_router,
    gates_router,
    runs_router,
    deck_tests_router,
)

__all__ = ["routers"]
