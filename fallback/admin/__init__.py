"""Admin pages of projects, boards and the fallback. Importing a module registers its pages."""

from fallback.admin import (  # noqa: F401
    configs,
    flows,
    missions,
    organizations,
    overview,
    projects,
    runs,
    templates,
    timeline,
    workstations,
)

from fallback.admin import items  # noqa: F401  isort: skip
