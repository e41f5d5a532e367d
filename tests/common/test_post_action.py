"""Buttons and forms in a page: JSON for scripts, a message and a redirect for others."""

import json

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import Http404, HttpResponse

from missionsite.common.admin.actions import InvalidForm, NotFound, post_action, valid_values
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.errors import DomainError

SCRIPT = {"HTTP_ACCEPT": "application/json"}


class Closed(DomainError):
    message = "It is closed."


class NameForm(forms.Form):
    name = forms.CharField(label="Full name")


def post(rf, view, data=None, **extra):
    request = rf.post("/here/", data or {}, **extra)
    request._messages = CookieStorage(request)
    return request, view(request, card="7")


def raising(error):
    @post_action(back=lambda card: f"/cards/{card}/")
    def view(request, card):
        raise error

    return view


@post_action()
def rename(request, card):
    return FormResult(f"/cards/{card}/", "Renamed.", facts={"name": valid_values(NameForm(request.POST))["name"]})


def test_script_gets_message_and_facts(rf):
    _request, response = post(rf, rename, {"name": "Ana"}, **SCRIPT)
    assert json.loads(response.content) == {"ok": True, "message": "Renamed.", "name": "Ana"}


def test_others_are_redirected_with_message(rf):
    request, response = post(rf, rename, {"name": "Ana"})
    assert (response.status_code, response["Location"]) == (302, "/cards/7/")
    assert [str(message) for message in get_messages(request)] == ["Renamed."]


@pytest.mark.parametrize(("wanted", "location"), [("/list/?p=2", "/list/?p=2"), ("https://evil.example/", "/cards/7/")])
def test_next_replaces_address_on_this_site_only(rf, wanted, location):
    assert post(rf, rename, {"name": "Ana", "next": wanted})[1]["Location"] == location


@pytest.mark.parametrize(
    ("error", "status", "field", "message"),
    [
        (Closed(), 409, None, "It is closed."),
        (InvalidForm("Enter a name.", field="name"), 422, "name", "Enter a name."),
        (Http404(), 404, None, NotFound.message),
        (Http404("Card not found."), 404, None, "Card not found."),
    ],
)
def test_script_gets_error_with_status(rf, error, status, field, message):
    _request, response = post(rf, raising(error), **SCRIPT)
    assert response.status_code == status
    assert json.loads(response.content) == {"ok": False, "message": str(message), "field": field}


def test_error_returns_to_page_with_message(rf):
    request, response = post(rf, raising(Closed()))
    assert response["Location"] == "/cards/7/"
    assert [(message.level_tag, str(message)) for message in get_messages(request)] == [("error", "It is closed.")]


def test_missing_object_is_404_page_for_others(rf):
    with pytest.raises(Http404):
        post(rf, raising(Http404("Card not found.")))


def test_invalid_form_has_first_error():
    for with_label, message in ((False, "This field is required."), (True, "Full name: This field is required.")):
        with pytest.raises(InvalidForm) as rejected:
            valid_values(NameForm({}), with_label=with_label)
        assert (rejected.value.field, rejected.value.message) == ("name", message)


def test_page_makes_its_own_responses(rf):
    def failed(request, error, card):
        return HttpResponse(f"{card}: {error.message}")

    def done(request, result, card):
        return HttpResponse(result.message)

    @post_action(done=done, failed=failed)
    def view(request, card):
        if "name" not in request.POST:
            raise Closed
        return FormResult("/", "Done.")

    assert post(rf, view)[1].content == b"7: It is closed."
    assert post(rf, view, {"name": "Ana"})[1].content == b"Done."


def test_get_changes_nothing(rf):
    assert rename(rf.get("/here/"), card="7").status_code == 405
