"""A project with a reviewer, the API as that reviewer, and a proposal."""

import pytest

from fallback.models.choices import ProjectRole
from tests.fallback.api.calls import person
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    ProjectFactory,
    RunFactory,
    TemplateFactory,
)
from tests.support.factories.tokens import api_client


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


@pytest.fixture
def project():
    """A project with a threshold of two and two templates."""
    project = ProjectFactory(name="Field guide", organization__name="Futures Edge")
    ConfigFactory(project=project, backlog_threshold=2)
    TemplateFactory.create_batch(2, project=project, estimated_effort_minutes=90)
    return project


@pytest.fixture
def bob(project):
    """A reviewer of the project who is not staff."""
    return person(project, ProjectRole.REVIEWER)


@pytest.fixture
def client(bob):
    return api_client(bob)


@pytest.fixture
def item(project):
    return ItemFactory(
        run=RunFactory(project=project), template=project.fallback_templates.first(), title="Check links"
    )
