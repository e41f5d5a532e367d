"""Registration on a phone: code, form, profile, language, directory."""

import pytest

from groups.models import CommunityMember, Member
from groups.services.directory import approve
from tests.portal.helpers import PASSWORD, entry, invitation

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def phone(page, live_server, transactional_db, wrongs, settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
    page.set_viewport_size(PHONE)
    page.set_default_timeout(60_000)
    yield page
    # An invalid code is a 404, and the directory a 403 until the approval; both have pages of their own.
    closed = [f"404 {live_server.url}/join/", f"403 {live_server.url}/directory/", "(Not Found)", "(Forbidden)"]
    assert [each for each in wrongs if not any(words in each for words in closed)] == []


def fits(page) -> bool:
    """Return whether nothing is wider than the screen and all visible targets are at least 44 px high."""
    wide = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    small = page.evaluate(
        """[...document.querySelectorAll('button, .button, main input:not([type=hidden]), select, nav a')]
           .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 44)
           .map(each => each.outerHTML)"""
    )
    return wide and small == []


def send(page) -> None:
    page.locator("main form button").click()


@pytest.mark.seed("003 Browser")
def test_invited_person_registers_and_opens_directory(phone, live_server):
    made = invitation(entry(name="Inês Ferreira da Conceição Albuquerque de Vasconcelos", organization="W" * 200))
    phone.goto(f"{live_server.url}/join/")
    phone.get_by_label("Invitation code").fill("WRONG")
    send(phone)
    phone.get_by_role("heading", name="This code is not valid").wait_for()
    assert fits(phone)
    phone.get_by_label("Invitation code").fill(made.spelled_code.lower())
    phone.keyboard.press("Enter")
    phone.get_by_role("heading", name="Register").wait_for()
    assert fits(phone)

    # Errors are listed; the list has the focus and links to the fields.
    phone.get_by_label("Name", exact=True).fill("Ana Souza")
    send(phone)
    summary = phone.get_by_role("alert")
    assert summary.evaluate("each => each === document.activeElement")
    summary.get_by_role("link", name="E-mail").click()
    assert phone.evaluate("document.activeElement.id") == "id_email"
    described = phone.locator("#id_email").get_attribute("aria-describedby").split()
    assert all(phone.locator(f"#{each}").count() == 1 for each in described)
    assert len(described) == 2
    assert phone.locator("#id_email").get_attribute("aria-invalid") == "true"
    assert fits(phone)

    phone.get_by_label("E-mail").fill("ana@example.org")
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_label("Telegram ID").fill("123456789")
    phone.get_by_label("Role").select_option("Designer")
    send(phone)
    phone.wait_for_url("**/me/**")
    assert phone.get_by_role("heading", level=1).inner_text().startswith("Ana Souza #")
    phone.get_by_text("Waiting for approval").wait_for()
    assert fits(phone)

    # The page of the used code redirects to the profile.
    phone.goto(f"{live_server.url}/join/{made.spelled_code}/")
    assert phone.url.endswith("/me/")

    # The other language, on the same page, is stored.
    phone.get_by_role("button", name="Português").click()
    phone.get_by_text("Aguardando aprovação").wait_for()
    assert phone.locator("html").get_attribute("lang") == "pt-BR"
    phone.get_by_role("link", name="Diretório").click()
    phone.get_by_text("aguarda a aprovação").wait_for()
    assert fits(phone)

    approve(actor=Member.objects.system(), entry=CommunityMember.objects.get(name="Ana Souza"))
    phone.reload()
    phone.get_by_label("Busca").fill("inês")
    phone.keyboard.press("Enter")
    phone.get_by_role("link", name="Inês").click()
    phone.get_by_role("heading", name="Inês").wait_for()
    assert fits(phone)
    phone.get_by_role("button", name="Sair").click()
    phone.get_by_text("Você saiu da sua conta.").wait_for()
    assert phone.url.endswith("/login/")


def contrast(page) -> float:
    """Return the lowest contrast of a text with its background, by WCAG 2.1."""
    return page.evaluate(
        """() => {
        const light = text => { const part = text.match(/[\\d.]+/g).slice(0, 3).map(Number).map(each => each / 255)
            .map(each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
            return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2]; };
        const behind = each => { for (; each; each = each.parentElement) {
            const colour = getComputedStyle(each).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour; } };
        const words = [...document.querySelectorAll('body *')].filter(each => each.getClientRects().length &&
            [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
        return Math.min(...words.map(each => { const two = [light(getComputedStyle(each).color), light(behind(each))];
            return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05); }));
        }"""
    )


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_every_text_has_enough_contrast(phone, live_server, scheme):
    phone.emulate_media(color_scheme=scheme)
    inviter = entry(name="Inês", github_username="ines", reputation_score=1125)
    person = inviter.person
    person.set_password(PASSWORD)
    person.save(update_fields=["password"])
    code = invitation(inviter).code
    grounds = set()
    for address in ("/join/", "/login/", f"/join/{code}/"):
        phone.goto(live_server.url + address)
        if address != "/login/":
            send(phone)
            phone.get_by_role("alert").wait_for()
        assert contrast(phone) >= 4.5, address
        assert fits(phone)
        grounds.add(phone.evaluate("getComputedStyle(document.body).backgroundColor"))
    phone.goto(f"{live_server.url}/login/?next=/directory/")
    phone.get_by_label("E-mail").fill(person.email)
    phone.get_by_label("Password").fill(PASSWORD)
    send(phone)
    phone.wait_for_url("**/directory/")
    for address in ("/me/", "/me/edit/", "/me/password/", "/directory/", f"/directory/{inviter.member_id[1:]}/"):
        phone.goto(live_server.url + address)
        assert contrast(phone) >= 4.5, address
        assert fits(phone)
    assert grounds == {"rgb(248, 250, 252)" if scheme == "light" else "rgb(15, 23, 42)"}
