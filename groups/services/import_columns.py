"""Which column of an imported file is which: by its name in several languages and programs, or chosen by hand."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from missionsite.common.csvfiles import FileUnreadable, HeadingUnknown, quoted

COLUMNS = (
    "email",
    "name",
    "trust_score",
    "telegram_id",
    "telegram_username",
    "primary_role",
    "organization",
    "country",
    "github_username",
    "member_id",
)
# Parts of a name, joined in this order.
NAME_PARTS = ("first_name", "middle_name", "last_name")
# What a column can be imported as.
CHOOSABLE = (*COLUMNS[:2], *NAME_PARTS, *COLUMNS[2:])
# Columns of the site's own export that an import cannot change.
EXPORTED_ONLY = frozenset(
    ["status", "github_verified", "reputation_score", "reputation_tier", "invited_by", "created_at", "last_active_at"]
)

# Headings of each column, as `plain` returns them: English, Portuguese, Spanish, German, French, Italian, and those of
# Google Contacts and Forms, Mailchimp, Hitobito, CiviCRM, Meetup, listmonk and Discourse.
_HEADINGS = {
    "email": "email|e mail|email address|e mail address|mail|e mail 1 value|primary email"
    "|main email|haupt e mail|hauptemail|endereco de e mail|endereco de email|correo"
    "|correo electronico|direccion de correo electronico|email adresse|e mail adresse"
    "|adresse e mail|adresse email|courriel|posta elettronica|indirizzo email|user email"
    "|subscriber email|email 1 value",
    "name": "name|full name|display name|member name|nome|nome completo|nombre|nombre completo"
    "|nombre y apellidos|vollstandiger name|anzeigename|nom complet|nom et prenom"
    "|nome e cognome|nome e sobrenome|your name|seu nome|user name full",
    "first_name": "first name|given name|first|primeiro nome|nombre de pila|vorname|prenom|forename",
    "middle_name": "middle name|additional name|nome do meio|segundo nombre|zweiter vorname|deuxieme prenom",
    "last_name": "last name|family name|surname|last|sobrenome|apellido|apellidos|nachname|familienname"
    "|nom|nom de famille|cognome",
    "trust_score": "trust score|trust|trust points|pontuacao de confianca|pontos de confianca|vertrauenspunkte",
    "telegram_id": "telegram id|telegram user id|telegram number|id do telegram|id telegram"
    "|id de telegram|telegram nummer",
    "telegram_username": "telegram username|telegram name|telegram|telegram user|telegram handle"
    "|usuario do telegram|usuario de telegram|nome no telegram|telegram benutzername"
    "|telegram nutzername",
    "primary_role": "primary role|role|main role|papel|funcao|papel principal|rol|rol principal|rolle"
    "|hauptrolle|role principal|ruolo",
    "organization": "organization|organisation|organization name|organisation name|company|company name"
    "|employer|current employer|organizacao|empresa|organizacion|firma|firmenname"
    "|unternehmen|organisationsname|entreprise|societe|organizzazione|azienda"
    "|organization 1 name",
    "country": "country|country name|pais|land|pays|paese|nazione|country region|address 1 country",
    "github_username": "github username|github name|github|github user|github handle|usuario do github"
    "|usuario de github|github benutzername",
    "member_id": "member id|stable id|member number|numero de membro|mitgliedsnummer|id de membro",
}
_BY_HEADING = {heading: column for column, headings in _HEADINGS.items() for heading in headings.split("|")}
_NOT_WORD = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """Return a text in lower case without accents, with one space for everything that is no letter or digit."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return _NOT_WORD.sub(" ", "".join(c for c in decomposed if not unicodedata.combining(c))).strip()


def known_headings(cells: Sequence[str]) -> int:
    """Return how many cells of a row are headings that an import knows."""
    return sum(1 for cell in cells if len(cell) < 80 and plain(cell) in _BY_HEADING)


def distinct_headings(header: Sequence[str]) -> list[str]:
    """Return a heading in which each name stands once: the second `Email` is `Email (2)`, so that it can be chosen."""
    seen: dict[str, int] = {}
    names = []
    for name in header:
        seen[name] = seen.get(name, 0) + 1
        names.append(f"{name} ({seen[name]})" if name and seen[name] > 1 else name)
    return names


@dataclass(frozen=True)
class ColumnMap:
    """The places of the columns in a row of a file.

    places: of each column in COLUMNS; -1 if the file has no such column. name_places: of the parts of a name.
    columns: each heading with the column it is imported as; empty if it is not imported.
    """

    places: tuple[int, ...]
    name_places: tuple[int, ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def ignored(self) -> list[str]:
        """Headings that are not imported, without those of the site's own export."""
        return [heading for heading, column in self.columns if heading and not column and heading not in EXPORTED_ONLY]


def map_columns(header: Sequence[str], *, chosen: Mapping[str, str], line: int) -> ColumnMap:
    """Find the columns of a file. chosen: by heading, the column it is imported as, or "" to leave it out.

    Raises FileUnreadable if two columns are imported as the same one, or nothing names the person.
    """
    places: dict[str, int] = {}
    columns: list[tuple[str, str]] = []
    for place, heading in enumerate(header):
        column = chosen[heading] if heading in chosen else _BY_HEADING.get(plain(heading), "")
        if column in places and heading not in chosen and _is_second_choice(heading, column):
            column = ""
        elif (
            column in places
            and _is_second_choice(header[places[column]], column)
            and header[places[column]] not in chosen
        ):
            columns[places[column]] = (header[places[column]], "")
        elif column in places:
            raise FileUnreadable(
                gettext("The columns %(first)s and %(second)s are both read as %(column)s. Leave one of them out.")
                % {"first": quoted(header[places[column]]), "second": quoted(heading), "column": column}
            )
        if column:
            places[column] = place
        columns.append((heading, column))
    parts = tuple(places[part] for part in NAME_PARTS if part in places)
    if not {"email", "telegram_id", "member_id"} & places.keys():
        raise HeadingUnknown(
            header,
            gettext(
                "The header on line %(line)s has no column that identifies a person: email, telegram_id or member_id."
                " Choose which column it is."
            )
            % {"line": line},
        )
    if "name" in places:
        columns = [(heading, "" if column in NAME_PARTS else column) for heading, column in columns]
        parts = ()
    return ColumnMap(tuple(places.get(name, -1) for name in COLUMNS), parts, tuple(columns))


def _is_second_choice(heading: str, column: str) -> bool:
    """Whether a heading gives way to a more exact one, as `Telegram` does to `Telegram name`."""
    return plain(heading) not in (column.replace("_", " "), "e mail", "email address", "full name", "firmenname")
