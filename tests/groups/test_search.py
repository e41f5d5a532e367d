"""Names are found without regard to accents, case, normalization and the order of their parts."""

import random
import unicodedata

import pytest
from django.db import connection
from faker import Faker

from groups.admin.memberships import MEMBERS
from groups.models import CommunityMember, Member
from groups.selectors.directory import DIRECTORY
from missionsite.common.search_words import search_text
from missionsite.portal.directory import search as search_on_site
from tests.support.admin import client
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import MemberFactory
from tests.support.sample import share

pytestmark = pytest.mark.django_db
LOCALES = ("pt_BR", "de_DE", "tr_TR", "vi_VN", "pl_PL", "el_GR", "da_DK")
# What Faker's lists may lack.
MORE = ["Łukasz Żółć", "Đặng Thị Đào", "Søren Ørsted", "Γιώργος Παπαδόπουλος", "Jörg Strauß", "IŞIK Y\u0131ld\u0131z"]
# How people type letters that do not decompose.
TYPED = str.maketrans({"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ß": "ss", "\u0131": "i"})
TYPED |= str.maketrans({"æ": "ae", "Æ": "Ae"})


def without_marks(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    return plain.translate(TYPED)


def queries(name: str) -> list[str]:
    """Return what people may type for a name, by rule."""
    parts = name.split()
    return [
        name,
        name.upper(),
        name.lower(),
        unicodedata.normalize("NFD", name),
        unicodedata.normalize("NFC", name),
        without_marks(name),
        without_marks(name).upper(),
        " ".join(reversed(parts)),
        without_marks(f"{parts[-1]} {parts[0][:2]}"),
    ]


def test_names_of_seven_languages_are_found_by_every_query():
    names = list(MORE)
    for number, locale in enumerate(LOCALES):
        fake = Faker(locale)
        fake.seed_instance(number)
        names += [f"{fake.first_name()} {fake.last_name()}" for _ in range(28)]
    chance = random.Random(1)
    stored = [unicodedata.normalize(chance.choice(("NFC", "NFD")), name) for name in names]
    Member.objects.bulk_create(
        Member(email=f"p{number}@example.org", display_name=name) for number, name in enumerate(stored)
    )
    CommunityMember.objects.bulk_create(
        CommunityMember(name=name, telegram_id=str(number), primary_role="other", status="active")
        for number, name in enumerate(stored)
    )
    people = dict(Member.objects.values_list("email", "pk"))
    entries = dict(CommunityMember.objects.values_list("telegram_id", "pk"))
    assert len(names) >= 200
    # In a build one query in three of each name, others the next day.
    missed = []
    for number, name in enumerate(names):
        person, entry, terms = people[f"p{number}@example.org"], entries[str(number)], queries(name)
        asked = share(terms, of=3, shift=number)
        missed += [(name, term) for term in asked if person not in MEMBERS.find(Member.objects.all(), term).ids]
        term = terms[number % len(terms)]
        if entry not in DIRECTORY.find(CommunityMember.objects.all(), term).ids:
            missed.append((name, term))
        if entry not in search_on_site(CommunityMember.objects.all(), term):
            missed.append((name, term))
    assert not missed


@pytest.mark.parametrize("text", [*MORE, "ﬁne ﬂag", "Œuvre Æsir Þór Ðóra", "한국어 이름", "محمد علي", "ΣΊΣΥΦΟΣ", "ẞ"])
def test_database_and_python_agree(text):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_tsvector('simple', %s) = search_words(%s)", [search_text(text), text])
        assert cursor.fetchone()[0]


def test_search_finds_no_one_else():
    MemberFactory(display_name="Conceição Lima")
    assert MEMBERS.find(Member.objects.all(), "conceicao souza").ids == []
    assert MEMBERS.find(Member.objects.all(), "oncei").ids == []


def test_lists_palette_and_api_find_names_without_accents():
    manager = client("Community Manager")
    EntryFactory(name="João Conceição", person=MemberFactory(display_name="João Conceição"))
    for address in (
        "/admin/groups/member/?q=conceicao",
        "/admin/groups/communitymember/?q=conceicao+joao",
        "/admin/search/?s=conceicao&extended=1",
    ):
        assert "João Conceição" in manager.get(address).content.decode(), address


def test_palette_says_that_nothing_was_found_and_offers_to_add():
    address = "/admin/search/?s=Nobody+Known&extended=1"
    page = client("Community Manager").get(address).content.decode()
    assert "Nothing found for “Nobody Known”" in page
    assert "/admin/groups/communitymember/add/?name=Nobody+Known" in page
    page = client("Community Manager").get("/admin/groups/communitymember/add/?name=Nobody+Known").content.decode()
    assert 'value="Nobody Known"' in page
    assert "/add/" not in client("Auditor").get(address).content.decode()
