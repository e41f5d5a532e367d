"""The page of a client: its links, what it shows and leaves out, comments, signatures, and the delivery report."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from groups.models import Member
from missiondeck.errors import TooManyLinks
from missiondeck.models import ClientCode, ClientComment, ClientLink, ClientSignature, DeckMission
from missiondeck.rules import CODE_ATTEMPTS, CODE_MINUTES, CODES_PER_HOUR, COMMENTS_PER_HOUR, MAX_LINK_DAYS, MAX_LINKS
from missiondeck.services.client_links import create_client_link, revoke_client_link
from missiondeck.services.delivery_reports import delivery_report, public_key
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.helpers import import_results
from tests.missiondeck.test_evidence import item_with, result
from tests.missiondeck.workspace_helpers import address, make_item, make_mission, who_may
from tests.site.routes import routes
from tests.support.database import rejected_by

pytestmark = pytest.mark.django_db

CLIENT = "ida@client.example"


def link_to(made: DeckMission, **values) -> tuple[ClientLink, str]:
    """A link and the address of its page."""
    given = {"name": "Ida"} | values
    link, secret = create_client_link(actor=Member.objects.system(), mission=made, **given)
    return link, reverse("client", args=[secret])


@pytest.fixture
def delivery(dora) -> DeckMission:
    """A mission with an item that a test ticked, an open one, and a green run."""
    made = make_mission(title="Nightjar <b>", client="Acme")
    item_with(made, text="It pays")
    make_item(made, "It is fast", category="non-functional")
    import_results(made, [result("test_pays"), result("test_opens")])
    return made


# --- Links ------------------------------------------------------------------------------------------


def test_page_without_log_in_is_private(client, delivery):
    link, page = link_to(delivery)
    answer = client.get(page)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Nightjar &lt;b&gt;" in text
    assert "1 of 2" in text
    assert "tests.send \u203a test_pays" in text
    assert "2 tests passed" in text
    assert "noindex" in answer["X-Robots-Tag"]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "strict-origin"
    assert settings.SESSION_COOKIE_NAME not in client.cookies
    link.refresh_from_db()
    assert link.last_read_at is not None
    # The secret is nowhere in the database.
    assert page.rstrip("/").rsplit("/", 1)[1] not in str(ClientLink.objects.values())


@pytest.mark.parametrize("kind", ["revoked", "expired", "unknown"])
def test_invalid_link_shows_nothing(client, delivery, kind):
    link, page = link_to(delivery)
    if kind == "revoked":
        revoke_client_link(actor=Member.objects.system(), link=link)
    elif kind == "expired":
        past = timezone.now() - timedelta(days=2)
        ClientLink.objects.filter(pk=link.pk).update(created_at=past, expires_at=past + timedelta(days=1))
    else:
        page = page[:-2] + "/"
    for target in (page, f"{page}report/"):
        answer = client.get(target)
        assert answer.status_code == 404
        assert b"Nightjar" not in answer.content
    assert client.post(page, {"do": "comment", "comment-text": "Hello"}).status_code == 404
    assert not ClientComment.objects.exists()


def test_fields_that_are_left_out(client, delivery):
    _link, page = link_to(delivery, hides_deadline=True, hides_evidence=True, hides_tests=True)
    for target in (page, f"{page}report/"):
        answer = client.get(target)
        text = answer.content.decode()
        assert "It pays" in text
        assert not re.search("Deadline|test_pays|green test run", text)


def test_nothing_else_is_reachable_with_link(delivery):
    """Every URL, with the secret in each of its parts: nothing of the mission is shown, and no page but the public."""
    visitor = Client()
    _link, page = link_to(delivery)
    assert visitor.get(page).status_code == 200
    secret = page.rstrip("/").rsplit("/", 1)[1]
    shown = set()
    for route in routes():
        answer = visitor.get(route.fill(**dict.fromkeys(route.parts, secret)))
        if answer.status_code == 200:
            shown.add(route.template)
        if not route.template.startswith("client/"):
            assert b"Nightjar" not in getattr(answer, "content", b""), route
    assert {each for each in shown if each.startswith(("admin/", "client/", "deck/", "me/", "directory/", "api/"))} == {
        "admin/login/",
        "api/docs",
        "api/openapi.json",
        "client/<secret>/",
        "client/<secret>/report/",
    }


def test_requests_are_limited(client, delivery, monkeypatch):
    monkeypatch.setattr("missionsite.portal.client.LINK_REQUESTS_PER_MINUTE", 2)
    _link, page = link_to(delivery)
    statuses = [client.get(page).status_code for _ in range(8)]
    assert statuses[:2] == [200, 200]
    assert 429 in statuses


@pytest.mark.rule("deck_client_links_expiry_range")
def test_links_are_bounded_and_end(delivery):
    with pytest.raises(ConstraintViolated, match="1 to 365 days"):
        link_to(delivery, days=MAX_LINK_DAYS + 1)
    for _ in range(MAX_LINKS):
        link_to(delivery)
    with pytest.raises(TooManyLinks):
        link_to(delivery)


def test_site_cannot_change_what_clients_wrote(client, delivery):
    _link, page = link_to(delivery)
    client.post(page, {"do": "comment", "comment-text": "Hello"})
    for statement in (
        "UPDATE deck_client_comments SET text = 'Fine'",
        "DELETE FROM deck_client_comments",
        "UPDATE deck_client_signatures SET name = 'x'",
        "DELETE FROM deck_client_links",
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)
    with rejected_by("deck_client_comments_text_not_empty"):
        connection.cursor().execute(
            "INSERT INTO deck_client_comments (link_id, text) SELECT id, ' ' FROM deck_client_links"
        )


# --- Comments ---------------------------------------------------------------------------------------


@pytest.mark.rule("TooManyComments")
def test_comments_of_client(client, delivery, dora):
    _link, page = link_to(delivery)
    for _ in range(2):
        answer = client.post(page, {"do": "comment", "comment-text": "<script>alert(1)</script>"})
        assert answer.status_code == 302
    assert ClientComment.objects.count() == 1
    assert b"<script>alert" not in client.get(page).content
    empty = client.post(page, {"do": "comment", "comment-text": " "}, headers={"accept-language": "pt-br"})
    assert "Escreva um coment" in empty.content.decode()
    for number in range(COMMENTS_PER_HOUR):
        last = client.post(page, {"do": "comment", "comment-text": f"{number}"})
    assert "Too many comments" in last.content.decode()
    assert ClientComment.objects.count() == COMMENTS_PER_HOUR
    listed = who_may().get(address(delivery, "_clients"))
    assert b"&lt;script&gt;alert(1)" in listed.content


# --- Signatures -------------------------------------------------------------------------------------


def code_in(message) -> str:
    return re.search(r"\b\d{8}\b", message.body)[0]


@pytest.mark.rule("CodeWrong")
def test_client_signs_with_mailed_code(client, delivery, mailoutbox, django_capture_on_commit_callbacks):
    link, page = link_to(delivery, email=CLIENT)
    with django_capture_on_commit_callbacks(execute=True):
        assert CLIENT in client.post(page, {"do": "code"}).content.decode()
    (message,) = mailoutbox
    assert message.to == [CLIENT]
    code = code_in(message)
    assert code not in str(ClientCode.objects.values())
    wrong = client.post(page, {"do": "sign", "sign-name": "Ida", "sign-code": "00000000x"})
    assert "wrong or no longer valid" in wrong.content.decode()
    assert client.post(page, {"do": "sign", "sign-name": "Ida", "sign-code": f" {code} "}).status_code == 302
    signature = ClientSignature.objects.get()
    assert (signature.name, signature.email, signature.facts["done"]) == ("Ida", CLIENT, 1)
    assert "Signed by" in client.get(page).content.decode()
    # A code signs once.
    client.post(page, {"do": "sign", "sign-name": "Ida", "sign-code": code})
    assert ClientSignature.objects.count() == 1
    assert link.mission.pk == delivery.pk


@pytest.mark.parametrize("spoiled", ["guessed", "expired", "replaced", "revoked"])
def test_code_that_is_no_longer_valid(client, delivery, mailoutbox, django_capture_on_commit_callbacks, spoiled):
    link, page = link_to(delivery, email=CLIENT)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page, {"do": "code"})
    values = {"do": "sign", "sign-name": "Ida", "sign-code": code_in(mailoutbox[0])}
    if spoiled == "guessed":
        for _ in range(CODE_ATTEMPTS):
            client.post(page, values | {"sign-code": "wrong"})
        assert ClientCode.objects.get().attempts == CODE_ATTEMPTS
    elif spoiled == "expired":
        ClientCode.objects.update(created_at=timezone.now() - timedelta(minutes=CODE_MINUTES, seconds=1))
    elif spoiled == "replaced":
        ClientCode.objects.update(created_at=timezone.now() - timedelta(seconds=1))
        client.post(page, {"do": "code"})
    else:
        revoke_client_link(actor=Member.objects.system(), link=link)
    assert client.post(page, values).status_code in (200, 404)
    assert not ClientSignature.objects.exists()


@pytest.mark.rule("TooManyCodes")
def test_codes_are_limited_and_need_address(client, delivery, mailoutbox, django_capture_on_commit_callbacks):
    _link, viewing = link_to(delivery)
    _other, signing = link_to(delivery, email=CLIENT)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(viewing, {"do": "code"})
        client.post(viewing, {"do": "sign", "sign-name": "Ida", "sign-code": "1"})
        for _ in range(CODES_PER_HOUR):
            client.post(signing, {"do": "code"})
        assert "Too many codes" in client.post(signing, {"do": "code"}).content.decode()
    assert len(mailoutbox) == CODES_PER_HOUR
    assert not ClientSignature.objects.exists()


# --- Report and back office -------------------------------------------------------------------------


def test_report_is_signed_and_changes_are_found(client, delivery, tmp_path, capsys):
    _link, page = link_to(delivery)
    answer = client.get(f"{page}report/")
    content = answer.content
    assert b"It pays" in content
    assert b"<script" not in content
    file = tmp_path / "delivery.html"
    file.write_bytes(content)
    call_command("verify_delivery_report", str(file))
    assert public_key() in capsys.readouterr().out
    for forged in (content.replace(b"It pays", b"It paid"), content[:-40], content + b"<p>More</p>", b""):
        file.write_bytes(forged)
        with pytest.raises(CommandError, match="NOT VALID"):
            call_command("verify_delivery_report", str(file))
    file.write_bytes(content)
    with pytest.raises(CommandError, match="another key"):
        call_command("verify_delivery_report", str(file), public_key=public_key("another secret"))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_delivery_report", str(tmp_path / "missing.html"))


def test_report_stays_valid_after_rotation(delivery, tmp_path, settings):
    file = tmp_path / "delivery.html"
    file.write_text(delivery_report(mission=delivery))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "rotated" * 10
    call_command("verify_delivery_report", str(file))
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(CommandError, match="another key"):
        call_command("verify_delivery_report", str(file))


def test_links_in_back_office(delivery):
    lead, page = who_may("change_deckmission"), address(delivery, "_clients")
    form = lead.get(page).context["form"]
    assert form.fields["days"].initial
    key = re.search(rb'name="form_key" value="([^"]+)"', lead.get(page).content)[1].decode()
    values = {"name": "Ida", "email": CLIENT, "days": "30", "hides_tests": "on", "form_key": key}
    made = lead.post(page, values)
    shown = re.search(r'value="(http[^"]+/client/[^"]+/)"', made.content.decode())[1]
    assert Client().get(shown.replace("http://testserver", "")).status_code == 200
    # Once only.
    assert lead.post(page, values).status_code == 302
    link = ClientLink.objects.get()
    assert b"/client/" not in lead.get(page).content
    assert who_may().post(page, values).status_code == 403
    assert b'value="0"' in lead.post(page, values | {"form_key": "k" * 22, "days": "0"}).content
    lead.post(page, {"revoke": str(link.pk)})
    assert Client().get(shown.replace("http://testserver", "")).status_code == 404
    assert lead.get(address(delivery, "_report")).status_code == 200
