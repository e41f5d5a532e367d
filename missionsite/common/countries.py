"""Countries as members write them: their time zone and the prefix of their phone numbers.

Countries with several zones have that of their largest city; where a country spans four hours or more, there is none.
Source of the zones: zone.tab of the IANA time zone database; of phone numbers: the library phonenumbers.
"""

import unicodedata

# Names in English, Portuguese and Spanish, and the ISO 3166 code.
_ZONES = {
    "Africa/Accra": "ghana|gana|gh",
    "Africa/Cairo": "egypt|egito|egipto|eg",
    "Africa/Casablanca": "morocco|marrocos|marruecos|ma",
    "Africa/Johannesburg": "south africa|africa do sul|sudafrica|za",
    "Africa/Lagos": "nigeria|ng",
    "Africa/Luanda": "angola|ao",
    "Africa/Maputo": "mozambique|mocambique|mz",
    "Africa/Nairobi": "kenya|quenia|kenia|ke",
    "America/Argentina/Buenos_Aires": "argentina|ar",
    "America/Asuncion": "paraguay|paraguai|py",
    "America/Bogota": "colombia|co",
    "America/Caracas": "venezuela|ve",
    "America/Guatemala": "guatemala|gt",
    "America/Guayaquil": "ecuador|equador|ec",
    "America/La_Paz": "bolivia|bo",
    "America/Lima": "peru|pe",
    "America/Mexico_City": "mexico|mx",
    "America/Montevideo": "uruguay|uruguai|uy",
    "America/Panama": "panama|pa",
    "America/Santiago": "chile|cl",
    "America/Sao_Paulo": "brazil|brasil|br",
    "Asia/Bangkok": "thailand|tailandia|th",
    "Asia/Dhaka": "bangladesh|bd",
    "Asia/Dubai": "united arab emirates|emirados arabes unidos|emiratos arabes unidos|ae",
    "Asia/Ho_Chi_Minh": "vietnam|vietname|vietna|vn",
    "Asia/Jerusalem": "israel|il",
    "Asia/Karachi": "pakistan|paquistao|pk",
    "Asia/Kathmandu": "nepal|np",
    "Asia/Kolkata": "india|in",
    "Asia/Manila": "philippines|filipinas|ph",
    "Asia/Seoul": "south korea|korea|coreia do sul|corea del sur|kr",
    "Asia/Shanghai": "china|cn",
    "Asia/Singapore": "singapore|singapura|singapur|sg",
    "Asia/Tokyo": "japan|japao|japon|jp",
    "Atlantic/Cape_Verde": "cape verde|cabo verde|cv",
    "Europe/Amsterdam": "netherlands|the netherlands|paises baixos|holanda|paises bajos|nl",
    "Europe/Athens": "greece|grecia|gr",
    "Europe/Berlin": "germany|deutschland|alemanha|alemania|de",
    "Europe/Brussels": "belgium|belgica|be",
    "Europe/Bucharest": "romania|romenia|rumania|ro",
    "Europe/Copenhagen": "denmark|dinamarca|dk",
    "Europe/Dublin": "ireland|irlanda|ie",
    "Europe/Helsinki": "finland|finlandia|fi",
    "Europe/Istanbul": "turkey|turkiye|turquia|tr",
    "Europe/Kyiv": "ukraine|ucrania|ua",
    "Europe/Lisbon": "portugal|pt",
    "Europe/London": "united kingdom|great britain|england|scotland|reino unido|inglaterra|uk|gb",
    "Europe/Madrid": "spain|espanha|espana|es",
    "Europe/Oslo": "norway|noruega|no",
    "Europe/Paris": "france|franca|francia|fr",
    "Europe/Prague": "czech republic|czechia|republica checa|chequia|cz",
    "Europe/Rome": "italy|italia|it",
    "Europe/Stockholm": "sweden|suecia|se",
    "Europe/Vienna": "austria|at",
    "Europe/Warsaw": "poland|polonia|pl",
    "Europe/Zurich": "switzerland|suica|suiza|ch",
}
# Countries without one zone.
_WIDE = (
    "united states|united states of america|usa|estados unidos|eua|eeuu|us",
    "canada|ca",
    "australia|au",
    "russia|rusia|ru",
    "indonesia|id",
)
_BY_NAME = {name: zone for zone, names in _ZONES.items() for name in names.split("|")}
# The code is the last of the names.
_CODES = {name: names.rpartition("|")[2].upper() for names in (*_ZONES.values(), *_WIDE) for name in names.split("|")}


def zone_of_country(name: str) -> str:
    """Return the time zone of a country; empty if the name is unknown or the country has too many."""
    return _BY_NAME.get(_plain(name), "")


def normalize_phone(typed: str | None, country: str | None = "") -> str:
    """Return a phone number in the form +5511999990000 (E.164); empty if nothing was typed.

    country: of a number without the country's prefix, as its member wrote it. Raises ValueError if it is no number that
    can exist, or if it has no prefix and the country is unknown.
    """
    if not typed or not typed.strip():
        return ""
    # Imported here: the library's data takes memory, and most processes never read a number.
    import phonenumbers

    try:
        number = phonenumbers.parse(typed, _CODES.get(_plain(country or "")))
    except phonenumbers.NumberParseException as error:
        raise ValueError(str(error)) from None
    if number.extension or not phonenumbers.is_possible_number(number) or not phonenumbers.is_valid_number(number):
        raise ValueError(typed)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _plain(name: str) -> str:
    """Return a name without accents, case, punctuation and further blanks."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(each if each.isalpha() else " " for each in decomposed if not unicodedata.combining(each))
    return " ".join(letters.split())
