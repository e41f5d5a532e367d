"""API of this app: the caller's own engagement, members and messages for staff, and the gateway."""

from engagement.api import gateway, members, messages  # noqa: F401 - registers the operations
from engagement.api.base import router

__all__ = ["router"]
