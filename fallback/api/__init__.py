"""The API of projects, missions, fallback runs and proposals, and of a member's inbox, absences and stars.

Callers can see and change what their role in a project allows, staff or not. A URL of an object in a project names the
project, and the object is looked up in that project only.
"""

from fallback.api import (  # noqa: F401 - registers the operations
    absences,
    assignments,
    comments,
    documents,
    inbox,
    items,
    library,
    missions,
    projects,
    runs,
    stars,
    templates,
    workstations,
)
from fallback.api.base import router

__all__ = ["router"]
