"""Every label that a page shows is a text for gettext, not one that Django derives from a name in the code."""

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.urls import get_resolver
from django.utils.functional import Promise

APPS = ("common", "engagement", "fallback", "groups", "missiondeck", "missionsite", "portal")


class Sample(models.Model):
    """Labels that Django derives, and labels that are marked."""

    first_name = models.TextField()
    nickname = models.TextField("nickname")

    class Meta:
        app_label = "unused"
        apps = apps.__class__()
        managed = False


def shown_models() -> list[type[models.Model]]:
    """Return the models with an admin page, with a form, or with a history that names their fields."""
    # Importing the URLs defines the forms of all pages.
    get_resolver().url_patterns  # noqa: B018
    tracked = {model.pgh_tracked_model for model in apps.get_models() if hasattr(model, "pgh_tracked_model")}
    shown = {*admin.site._registry, *tracked, *_models_of_forms(forms.ModelForm)}
    return sorted(shown, key=lambda model: model._meta.label)


def _models_of_forms(form):
    for each in form.__subclasses__():
        if each._meta.model is not None:
            yield each._meta.model
        yield from _models_of_forms(each)


def derived_labels(model: type[models.Model]) -> list[str]:
    """Return what has no label of its own: `Member.name`, or `Member verbose_name` for the model itself."""
    options = model._meta
    found = [
        f"{options.object_name} {name}"
        for name in ("verbose_name", "verbose_name_plural")
        if not isinstance(options.original_attrs.get(name), Promise)
    ]
    fields = [*options.fields, *options.many_to_many]
    return found + [
        f"{options.object_name}.{field.name}"
        for field in fields
        if field.name != "id" and not isinstance(field.verbose_name, Promise)
    ]


@pytest.mark.parametrize("app", APPS)
def test_labels_are_not_derived(app):
    derived = [label for model in shown_models() if model._meta.app_label == app for label in derived_labels(model)]
    assert not derived, 'add verbose_name=_("…"):\n' + "\n".join(derived)


def test_derived_labels_are_found():
    assert derived_labels(Sample) == [
        "Sample verbose_name",
        "Sample verbose_name_plural",
        "Sample.first_name",
        "Sample.nickname",
    ]


def test_models_with_a_page_and_with_a_form_are_shown():
    labels = {model._meta.label for model in shown_models()}
    assert {"groups.Member", "missiondeck.DeckFeed", "common.ApiToken", "missionsite.Role"} <= labels
