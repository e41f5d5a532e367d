"""ServiceForm shows the error of a constraint at the field that the constraint names."""

import pytest
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import modelform_factory

from groups.models import Membership
from missiondeck import rules
from missiondeck.models import ChatMessage
from missionsite.common.admin import ServiceForm
from tests.support.factories.groups import MembershipFactory

pytestmark = pytest.mark.django_db


LONG = {"citizen": "emma", "sender": "user", "message": "x" * (rules.MESSAGE_LENGTH + 1)}


def constraint(model, name):
    return next(rule for rule in model._meta.constraints if rule.name == name)


def form_of(model, *fields):
    return modelform_factory(model, form=ServiceForm, fields=fields)


def test_error_is_at_field_of_constraint():
    """The condition compares two fields of the form."""
    form = form_of(Membership, "status", "left_at")({"status": "left"}, instance=MembershipFactory())
    assert list(form.errors) == ["left_at"]


def test_error_is_above_a_form_without_the_field(monkeypatch):
    monkeypatch.setattr(constraint(ChatMessage, "chat_messages_message_length"), "field", "mission")
    form = form_of(ChatMessage, *LONG)(LONG)
    assert list(form.errors) == [NON_FIELD_ERRORS]


def test_condition_may_be_an_expression(monkeypatch):
    limit = constraint(ChatMessage, "chat_messages_message_length")
    for field in (limit.field, None):
        monkeypatch.setattr(limit, "field", field)
        form = form_of(ChatMessage, *LONG)(LONG)
        assert form.errors == {"message": [str(limit.violation_error_message)]}
