"""Values of an imported file as people write them: repaired with a warning, or rejected with what to do.

What a registration rejects is rejected, and what it normalizes is normalized the same way.
"""

import re
from collections.abc import Callable, Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models.directory import PrimaryRole
from groups.rules import normalize_username
from groups.services.import_columns import plain
from missionsite.common.csvfiles import quoted

# The word in a cell that empties the field; an empty cell leaves it as it is.
CLEAR = "(clear)"
# Values with which spreadsheets and databases say that there is none.
_NOTHING = frozenset(
    {"null", "#n/a", "n/a", "-", "--", "—", "\u2013", "#ref!", "#value!", "#name?", "#div/0!", "nan", "(none)"}
)
_INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
_EDGES = " \t\r\n\u00a0\u2007\u202f\u200b\u200c\u200d\u2060\ufeff"
_ESCAPED = re.compile(r"'(?=[=+\-@\t\r\n])")
_MAY_NEED_CLEANING = re.compile(r"\x00(?:'[=+\-@\t\r\n]|[#nN\-(])")
_FORMULA = re.compile(r"=\s*[A-Z][A-Z.]*\s*\(", re.IGNORECASE)
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"(\d+)[.,]0{1,2}", re.ASCII)
_TELEGRAM_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t|telegram)\.me/@?([^/?#]+)/?(?:[?#].*)?", re.IGNORECASE)
_GITHUB_LINK = re.compile(r"(?:https?://)?(?:www\.)?github\.com/@?([^/?#]+)/?(?:[?#].*)?", re.IGNORECASE)
_ADDRESS_WITH_NAME = re.compile(r"[^<>]*<([^<>@\s]+@[^<>\s]+)>")
# The same as in the registration form; tests/groups/test_import_values.py compares both.
_TELEGRAM_NAME = re.compile(r"[A-Za-z0-9_]{4,32}", re.ASCII)
_GITHUB_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})", re.ASCII)
_TELEGRAM_ID_DIGITS = 20

TELEGRAM_ID_INVALID = _("A Telegram ID is a number, such as 123456789.")
TELEGRAM_ID_PHONE = _(
    "This looks like a phone number. A Telegram ID is a number such as 123456789, not the phone number."
)
SHORTENED = _(
    "A spreadsheet has shortened this number, so its last digits are lost. Format the column as text, enter the numbers"
    " again and save the file."
)
TELEGRAM_NAME_INVALID = _("A Telegram name has 4 to 32 letters, digits and underscores.")
GITHUB_NAME_INVALID = _("A GitHub name has up to 39 letters, digits and hyphens.")
FORMULA = _("This is a formula of a spreadsheet, not a value. Replace it by its value.")

# What people write for the roles, as `plain` returns it. The labels in all languages of the site are added to them.
_ROLES = {
    PrimaryRole.STUDENT: "estudante|aluno|aluna|estudiante|studentin|etudiant|etudiante|studente|studentessa",
    PrimaryRole.DEVELOPER: "dev|desenvolvedor|desenvolvedora|programador|programadora|desarrollador"
    "|desarrolladora|entwickler|entwicklerin|developpeur|developpeuse|sviluppatore"
    "|sviluppatrice|programmer|software developer|software engineer",
    PrimaryRole.DESIGNER: "disenador|disenadora|designerin|gestalter|gestalterin|ux designer|ui designer",
    PrimaryRole.RESEARCHER: "pesquisador|pesquisadora|investigador|investigadora|forscher|forscherin|chercheur"
    "|chercheuse|ricercatore|ricercatrice",
    PrimaryRole.FOUNDER: "fundador|fundadora|grunder|grunderin|fondateur|fondatrice|fondatore|co founder|cofounder",
    PrimaryRole.INVESTOR: "investidor|investidora|inversor|inversora|investorin|investisseur|investitore",
    PrimaryRole.COMMUNITY_MANAGER: "community manager|gestor de comunidade|gestora de comunidade",
    PrimaryRole.CONTENT_CREATOR: "content creator|criador de conteudo|criadora de conteudo|creador de contenido",
    PrimaryRole.OTHER: "outro|outra|otro|otra|andere|anderer|sonstige|autre|altro",
}
_BY_ROLE_NAME = {
    name: role.value
    for role, names in _ROLES.items()
    for name in (plain(role.value), plain(str(role.name)), *names.split("|"))
}

# Roles by the two ways in which the site writes them.
ROLES = {text: role.value for role in PrimaryRole for text in (role.value, role.name.replace("_", " ").capitalize())}

Note = Callable[[str, str], None]


def needs_cleaning(values: list[str]) -> bool:
    """Whether a row may have something that clean_text changes; most rows have nothing."""
    text = "\x00".join(["", *values])
    return not text.isascii() or "\n" in text or "\r" in text or _MAY_NEED_CLEANING.search(text) is not None


def clean_text(value: str, column: str, warn: Note) -> str:
    """Return the text of a cell without invisible characters; empty for values that say that there is none."""
    if "\n" in value or "\r" in value:
        value = " ".join(value.split())
        warn(column, gettext("Line breaks were replaced by spaces."))
    if not value.isascii():
        cleaned = value.translate(_INVISIBLE).strip(_EDGES).replace("\u00a0", " ")
        if cleaned != value:
            warn(column, gettext("Invisible characters were removed."))
        value = cleaned.strip()
    if value[:1] == "'" and _ESCAPED.match(value):
        return value[1:]
    if value[:1] in "#nN-—\u2013(" and value.lower() in _NOTHING:
        warn(column, gettext("%(value)s was read as an empty cell.") % {"value": quoted(value)})
        return ""
    return value


def clean_email(value: str, warn: Note) -> str:
    """Return an e-mail address without `mailto:` and the name before it, its domain in ASCII."""
    address = value
    if address[:7].lower() == "mailto:":
        address = address[7:].partition("?")[0]
    if match := _ADDRESS_WITH_NAME.fullmatch(address):
        address = match[1]
    local, at, domain = address.rpartition("@")
    if at and not domain.isascii():
        try:
            address = f"{local}@{domain.encode('idna').decode()}"
        except UnicodeError:
            return address
    if address != value:
        warn("email", gettext("%(value)s was read as %(read)s.") % {"value": quoted(value), "read": quoted(address)})
    return address


def clean_score(value: str) -> str:
    """Return a number without the decimals that a spreadsheet adds: 250,00 is 250."""
    match = _WHOLE.fullmatch(value)
    return match[1] if match else value


def clean_telegram_id(value: str, reject: Note, warn: Note) -> str:
    """Return a Telegram ID as a registration stores it: without spaces and leading zeros."""
    if _SHORTENED.fullmatch(value):
        reject("telegram_id", str(SHORTENED))
        return value
    digits = value.removeprefix("'").replace(" ", "")
    if not (digits.isascii() and digits.isdigit()):
        is_phone = value[:1] == "+" and sum(map(str.isdigit, value)) >= 8
        reject("telegram_id", str(TELEGRAM_ID_PHONE if is_phone else TELEGRAM_ID_INVALID))
        return value
    digits = digits.lstrip("0")
    if not 0 < len(digits) <= _TELEGRAM_ID_DIGITS:
        reject("telegram_id", str(TELEGRAM_ID_INVALID))
        return value
    if digits != value:
        warn(
            "telegram_id", gettext("%(value)s was read as %(read)s.") % {"value": quoted(value), "read": quoted(digits)}
        )
    return digits


def clean_telegram_name(value: str, reject: Note) -> str:
    """Return a Telegram name without its address and @."""
    match = _TELEGRAM_LINK.fullmatch(value)
    name = normalize_username(match[1] if match else value)
    if not _TELEGRAM_NAME.fullmatch(name):
        reject("telegram_username", str(TELEGRAM_NAME_INVALID))
    return name


def clean_github_name(value: str, reject: Note) -> str:
    """Return a GitHub name without its address and @."""
    match = _GITHUB_LINK.fullmatch(value)
    name = normalize_username(match[1] if match else value)
    if not _GITHUB_NAME.fullmatch(name):
        reject("github_username", str(GITHUB_NAME_INVALID))
    return name


def clean_role(value: str, chosen: Mapping[str, str], warn: Note) -> str:
    """Return the role that a text names; the text itself if it names none. chosen: roles by the texts for them."""
    if value in chosen:
        return chosen[value]
    if role := _BY_ROLE_NAME.get(plain(value)):
        if plain(role) != plain(value):
            warn(
                "primary_role",
                gettext("%(value)s was read as %(read)s.") % {"value": quoted(value), "read": quoted(role)},
            )
        return role
    return value


def is_formula(value: str) -> bool:
    return value[:1] == "=" and bool(_FORMULA.match(value))
