"""Admin pages of projects, boards and the fallback. Importing a module registers its pages."""

from fallback.admin import configs, flows, missions, organizations, projects, runs, templates, timeline, workstations  # noqa: F401

from fallback.admin import items  # noqa: F401  isort: skip
