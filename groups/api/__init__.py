"""The API of this app, one file per noun."""

from groups.api.directory import router as directory_router
from groups.api.join_requests import router as join_requests_router
from groups.api.missions import router as missions_router
from groups.api.participation import router as participation_router

routers = (missions_router, join_requests_router, directory_router, participation_router)

__all__ = ["routers"]
