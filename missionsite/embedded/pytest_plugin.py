"""Starts a separate embedded server for the tests.

Loaded with `-p missionsite.embedded.pytest_plugin`: pytest-django reads the settings before any conftest runs.
"""

from missionsite import embedded

embedded.test_environment()
