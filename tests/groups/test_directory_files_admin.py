"""Import and export of CSV files, the invitation tree and the heat map."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone

from groups.models import CommunityMember, Member
from groups.selectors.directory import heat_map
from groups.services import directory
from groups.services.highlights import roll_up_highlights
from groups.services.participation import ingest_participation, record_participation
from missionsite.common.csvfiles import safe_cell
from tests.support.admin import client, page_text
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/communitymember/"
IMPORT = f"{LIST}import/"
EXPORT = f"{LIST}export/"
HEADING = "email,name,telegram_id,primary_role\n"


def page(entry, name: str) -> str:
    return reverse(f"admin:groups_communitymember_{name}", args=[entry.pk])


def exported(response) -> list[dict]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def community():
    return client("Community Manager")


class TestImport:
    def send(self, community, content: str | bytes, **options):
        content = content.encode() if isinstance(content, str) else content
        return community.post(IMPORT, {"file": SimpleUploadedFile("members.csv", content, "text/csv")} | options)

    def test_dry_run_reports_and_writes_nothing(self, community):
        MemberFactory(email="known@example.org", display_name="Known")
        content = f"{HEADING}ana@example.org,Ana,1,other\nknown@example.org,Known anew,2,other\n"
        response = self.send(community, content, dry_run="on")
        assert "Checked, not imported" in page_text(response)
        assert "2 lines: 1 to add, 1 to update, 0 unchanged, 0 with errors." in page_text(response)
        assert not Member.objects.filter(email="ana@example.org").exists()
        assert not CommunityMember.objects.exists()

    def test_import_writes_and_reports(self, community):
        response = self.send(community, f"{HEADING}ana@example.org,Ana,1,other\nrui@example.org,Rui,2,other\n")
        assert response.status_code == 302
        assert "Imported: 2 added, 0 updated." in page_text(community.get(response["Location"]))
        assert set(CommunityMember.objects.values_list("name", "telegram_id")) == {("Ana", "1"), ("Rui", "2")}

    def test_errors_by_line_reject_whole_file(self, community):
        bad = "no address,Rui,2,other\n,Bob,,other\nana@example.org,Twice,4,other\n"
        content = f"{HEADING}ana@example.org,Ana,1,other\n{bad}"
        response = self.send(community, content)
        assert "Not imported" in page_text(response)
        lines = [(error.line, error.column) for error in response.context["report"].errors]
        assert (3, "email") in lines
        assert (4, "email") in lines
        assert {line for line, _column in lines} >= {3, 4, 5}
        for _line, sentence in [(error.line, error.sentence) for error in response.context["report"].errors]:
            assert sentence in page_text(response)
        assert not CommunityMember.objects.exists()

    def test_skip_option_imports_valid_lines(self, community):
        content = f"{HEADING}ana@example.org,Ana,1,other\nno address,Rui,2,other\n"
        response = self.send(community, content, skip_bad="on")
        assert response.status_code == 200
        assert "Imported: 1 added, 0 updated." in page_text(response)
        assert "1 with errors" in page_text(response)
        assert list(CommunityMember.objects.values_list("name", flat=True)) == ["Ana"]

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("", "empty"),
            ("\n\n", "The file is empty."),
            ("just some words\n", "No known column heading"),
            ("email,name\nana@example.org,Иван\n".encode("cp1251"), "is not UTF-8 text"),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "No known column heading"),
            ("name,country\nAna,Brasil\n", "no column that identifies a person"),
            ('email,name\n"ana@example.org,Ana\n', "never closes"),
        ],
        ids=["nothing", "blank", "words", "Cyrillic", "image", "no e-mail", "open quotation"],
    )
    def test_invalid_csv_is_a_file_error(self, community, content, sentence):
        response = self.send(community, content)
        assert response.status_code == 200
        assert sentence in str(response.context["form"].errors["file"])

    def test_columns_and_roles_are_chosen_on_the_page(self, community):
        content = "Contato,Quem,telegram_id,Papel\nana@example.org,Ana,1,Project Manager\n"
        response = self.send(community, content.replace("telegram_id", "Nummer"))
        assert 'name="column:Contato"' in response.content.decode()
        columns = {"column:Contato": "email", "column:Quem": "name"}
        response = self.send(community, content, dry_run="on", **columns)
        assert 'name="role:Project Manager"' in response.content.decode()
        response = self.send(community, content, dry_run="on", **columns, **{"role:Project Manager": "founder"})
        assert "Ana (new)" in page_text(response)
        assert self.send(community, content, **columns, **{"role:Project Manager": "founder"}).status_code == 302
        assert CommunityMember.objects.get().primary_role == "founder"

    def test_too_large_file_is_rejected(self, community, settings):
        settings.IMPORT_BYTES = 1024 * 1024
        response = self.send(community, HEADING + "x" * 1024 * 1024)
        assert "The file is larger than 1 MB. Split it." in page_text(response)

    def test_missing_file_is_an_error(self, community):
        assert "required" in str(community.post(IMPORT, {}).context["form"].errors["file"])

    def test_import_shows_200_errors_at_most(self, community):
        response = self.send(community, HEADING + "no address,Ana,,\n" * 250)
        assert "The first 200 of " in page_text(response)
        assert len(response.context["report"].errors) == 200

    def test_page_requires_permission(self):
        for role in ("Auditor", "Mission Manager", "Engagement Operator"):
            assert self.send(client(role), f"{HEADING}ana@example.org,Ana,1,other\n").status_code == 403
            assert client(role).get(IMPORT).status_code == 403
        assert not CommunityMember.objects.exists()


class TestExport:
    @pytest.fixture
    def people(self):
        for turn in range(12):
            EntryFactory(
                name=f"Person {turn}",
                status=["active", "pending", "suspended"][turn % 3],
                primary_role=["developer", "designer"][turn % 2],
                organization="Harbour Lab" if turn < 6 else None,
                reputation_score=turn * 100,
            )
        directory.remove_entry(actor=Member.objects.system(), entry=EntryFactory(name="Removed"), reason="Gone")

    @pytest.mark.seed("003 Export")
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "q=harbour",
            "status__exact=active",
            "primary_role__exact=designer&reputation_score_from=300",
            "q=person&status__exact=pending&o=-6",
            "o=6",
            "o=-6",
            "removed=yes",
            "removed=all",
            "q=no one-at-all",
            "p=1&status__exact=active",
        ],
    )
    def test_export_has_rows_and_order_of_list(self, community, people, query):
        shown = [entry.member_id for entry in community.get(f"{LIST}?{query}").context["cl"].result_list]
        response = community.get(f"{EXPORT}?{query}")
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"].startswith('attachment; filename="directory-')
        assert [row["member_id"] for row in exported(response)] == shown

    def test_export_contains_all_pages(self, community, people):
        for _ in range(60):
            EntryFactory(name="Person")
        assert len(exported(community.get(f"{EXPORT}?q=person"))) == 72

    def test_export_button_keeps_search_and_filters(self, community, people):
        query = "q=person&status__exact=pending&o=-6"
        button = next(b for b in community.get(f"{LIST}?{query}").context["buttons"] if b["title"] == "Export these")
        rows = exported(community.get(button["link"]))
        assert [row["status"] for row in rows] == ["pending"] * 4
        assert [int(row["reputation_score"]) for row in rows] == [1000, 700, 400, 100]

    def test_export_has_values_of_entry(self, community):
        inviter = EntryFactory(name="Inviter")
        entry = EntryFactory(
            name='Ana "the" Great, é',
            invited_by=inviter,
            telegram_username="ana",
            country="Brasil",
            reputation_score=1125,
        )
        (row,) = exported(community.get(f"{EXPORT}?q=ana"))
        assert row | {"created_at": "", "telegram_id": ""} == {
            "member_id": entry.member_id,
            "name": 'Ana "the" Great, é',
            "status": "active",
            "primary_role": "developer",
            "organization": "",
            "country": "Brasil",
            "telegram_id": "",
            "telegram_username": "ana",
            "github_username": "",
            "github_verified": "False",
            "reputation_score": "1125",
            "reputation_tier": "Experienced",
            "invited_by": inviter.member_id,
            "created_at": "",
            "last_active_at": "",
            "email": "",
            "trust_score": "",
            "tags": "",
        }
        assert row["created_at"] == entry.created_at.isoformat()

    @pytest.mark.parametrize("value", ["\t=1", "\r=1", "\n=1"])
    def test_control_character_starts_no_formula(self, value):
        """Constraints reject such names, but other texts may begin like this."""
        assert safe_cell(value) == f"'{value}"

    @pytest.mark.seed("003 Export")
    @pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK('x')"])
    def test_export_escapes_formulas(self, community, value):
        EntryFactory(name=value, organization=value, telegram_username=value.strip(), country=value)
        (row,) = exported(community.get(EXPORT))
        for column in ("name", "organization", "country", "telegram_username"):
            assert row[column][0] not in "=+-@\t\r\n"
            assert row[column].endswith(value.strip())

    def test_export_of_5000_rows_is_complete(self, community):
        CommunityMember.objects.bulk_create(
            CommunityMember(name=f"Row {turn}", primary_role="other", telegram_id=str(turn)) for turn in range(5_000)
        )
        response = community.get(EXPORT)
        # Streamed with a content length, so that a truncated download is detected.
        assert isinstance(response, StreamingHttpResponse)
        pieces = list(response.streaming_content)
        assert len(pieces) > 1
        body = b"".join(pieces)
        assert len(body) == int(response["Content-Length"])
        assert len(body.splitlines()) == 5_001

    def test_page_requires_permission(self, people):
        for role in ("Auditor", "Mission Manager", "Delivery Lead"):
            assert client(role).get(EXPORT).status_code == 403
            assert "Export these" not in page_text(client(role).get(LIST))

    @pytest.mark.parametrize("query", ["status__exact=gone", "telegram_id__startswith=7", "p=x&o=zz", "q=%00"])
    def test_invalid_export_address_redirects(self, community, people, query):
        response = community.get(f"{EXPORT}?{query}")
        assert response.status_code in (200, 302, 400)
        if response.status_code == 302:
            assert response["Location"].startswith(LIST)


class TestTree:
    @pytest.fixture
    def family(self):
        """Ana invited Bob, who invited Carol and Dan; Carol invited Eve."""
        people = {}
        for name, by in (("Ana", None), ("Bob", "Ana"), ("Carol", "Bob"), ("Dan", "Bob"), ("Eve", "Carol")):
            people[name] = EntryFactory(name=name, invited_by=people.get(by))
        return people

    def test_tree_shows_invited_members_and_inviters(self, community, family):
        response = community.get(page(family["Bob"], "tree"))
        tree = response.context["tree"]
        assert [entry.name for entry in tree.above] == ["Ana"]
        assert {node.entry.name for node in tree.root.invited} == {"Carol", "Dan"}
        assert [node.entry.name for node in tree.root.invited if node.invited] == ["Carol"]
        assert "invited 2, 3 in all" in page_text(response)
        for name in ("Ana", "Carol", "Dan", "Eve"):
            assert page(family[name], "tree" if name == "Ana" else "change") in page_text(response)

    def test_empty_tree_shows_message(self, community, family):
        response = community.get(page(family["Eve"], "tree"))
        assert "Eve has not invited anyone yet." in page_text(response)
        assert [entry.name for entry in response.context["tree"].above] == ["Ana", "Bob", "Carol"]

    def test_tree_marks_removed_members(self, community, family):
        directory.remove_entry(actor=Member.objects.system(), entry=family["Carol"], reason="Gone")
        assert "Removed" in page_text(community.get(page(family["Bob"], "tree")))

    def test_tree_escapes_names(self, community, family):
        EntryFactory(name="<script>alert(1)</script>", invited_by=family["Eve"])
        assert b"<script>alert(1)" not in community.get(page(family["Eve"], "tree")).content

    def test_tree_stops_at_500_members(self, community, family):
        CommunityMember.objects.bulk_create(
            CommunityMember(name="Crowd", primary_role="other", telegram_id=f"t{turn}", invited_by=family["Eve"])
            for turn in range(600)
        )
        response = community.get(page(family["Eve"], "tree"))
        assert "The tree is too large" in page_text(response)
        assert len(response.context["tree"].root.invited) == 499

    def test_deep_tree_says_where_it_stops(self, community, family):
        last = family["Eve"]
        for turn in range(120):
            last = EntryFactory(name=f"Link {turn}", invited_by=last)
        response = community.get(page(family["Ana"], "tree"))
        assert response.status_code == 200
        assert "Link 10" in page_text(response)
        assert "Link 119" in page_text(response) or response.context["tree"].more
        assert len(community.get(page(last, "tree")).context["tree"].above) == 123


def took_part(entry: CommunityMember, day: date, messages: int) -> None:
    """Add messages on one day and roll them up."""
    at = datetime.combine(day, time.min, tzinfo=UTC)
    event = {"member_id": entry.member_id, "event_type": "MESSAGE", "platform": "telegram", "room_id": "1"}
    ingest_participation(events=[event | {"occurred_at": at} for _ in range(messages)])
    while roll_up_highlights():
        pass


class TestHeatMap:
    def test_heat_map_shows_highlights_and_table(self, community):
        noor = EntryFactory(name="Noor")
        for number in range(20):
            record_participation(
                member_id=noor.member_id, event_type="MESSAGE", platform="telegram", room_id="1", message_id=str(number)
            )
        record_participation(
            member_id=noor.member_id,
            event_type="VOICE",
            platform="discord",
            room_id="2",
            event_metadata={"minutes": 25},
        )
        while roll_up_highlights():
            pass
        response = community.get(page(noor, "participation"))
        assert dict(response.context["totals"]) == {
            "Active days": 1,
            "Messages": 20,
            "Reactions": 0,
            "Voice minutes": 25,
            "Points earned": 45,
        }
        assert "messages 20, reactions 0, voice minutes 25, points 45" in page_text(response)
        assert response.content.count(b'class="level-4" title') == 1

    @pytest.mark.parametrize(
        ("messages", "level"), [(0, 0), (1, 1), (4, 1), (5, 2), (14, 2), (15, 3), (39, 3), (40, 4), (4000, 4)]
    )
    def test_heat_map_levels_have_their_thresholds(self, messages, level):
        noor = EntryFactory()
        today = date(2026, 3, 11)
        took_part(noor, today, messages)
        day = next(day for week in heat_map(noor, today=today) for day in week if day and day.on == today)
        assert day.level == level

    @pytest.mark.parametrize("today", [date(2026, 3, 9), date(2026, 3, 15), date(2024, 2, 29), date(2026, 1, 1)])
    def test_heat_map_covers_whole_weeks_until_today(self, today):
        noor = EntryFactory()
        first = today - timedelta(days=today.weekday(), weeks=52)
        for day in (first, first - timedelta(days=1), today):
            took_part(noor, day, 1)
        weeks = heat_map(noor, today=today)
        assert len(weeks) == 53
        assert all(len(week) == 7 for week in weeks)
        days = [day for week in weeks for day in week if day]
        assert (days[0].on, days[-1].on) == (first, today)
        assert [day.on for day in days] == [first + timedelta(days=n) for n in range(len(days))]
        assert sum(day.messages for day in days) == 2

    def test_empty_heat_map_shows_message(self, community):
        noor = EntryFactory()
        took_part(noor, timezone.now().date() - timedelta(days=500), 3)
        assert "No participation in the last year." in page_text(community.get(page(noor, "participation")))
