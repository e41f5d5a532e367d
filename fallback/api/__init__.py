"""The API of projects, missions, fallback runs and proposals.

Callers can see and change what their role in a project allows, staff or not. Every URL names its project, and other
objects are looked up in that project only.
"""

from fallback.api import (  # noqa: F401 - registers the operations
    assignments,
    comments,
    documents,
    items,
    missions,
    projects,
    runs,
    templates,
    workstations,
)
from fallback.api.base import router

__all__ = ["router"]
