"""Helpers for tests of the fallback's pages."""

from django.urls import reverse

from fallback.models import MissionFallbackItem, Project


def page(model: str, name: str = "changelist", obj=None) -> str:
    return reverse(f"admin:fallback_{model}_{name}", args=[obj.pk] if obj else [])


def form_of(response) -> dict:
    """The data a browser sends for an unchanged form."""
    form = response.context["adminform"].form
    values = {}
    for name in form.fields:
        value = form[name].value()
        if value is True:
            values[name] = "on"
        elif value not in (None, False):
            values[name] = value
    return values


def errors(response) -> dict:
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def objects_of(project: Project) -> dict:
    """One object of each model, by model name."""
    item = MissionFallbackItem.objects.filter(project=project).first()
    return {
        "organization": project.organization,
        "project": project,
        "flow": project.flows.first(),
        "actor": project.actors.first(),
        "projectrepository": project.repositories.first(),
        "mission": project.missions.first(),
        "missionfallbackconfig": project.fallback_config,
        "missionfallbacktemplate": project.fallback_templates.first(),
        "missionfallbackrun": item.run,
        "missionfallbackitem": item,
    }
