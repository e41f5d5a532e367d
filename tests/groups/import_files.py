"""Helpers for small CSV files of members and their import."""

import csv
import io

from django.db import connection

from groups.models import CommunityMember, Member
from groups.services.import_files import ImportReport
from groups.services.imports import import_members

FULL = "email,name,trust_score,telegram_id,telegram_username,primary_role,organization,country,github_username\n"
ANA = "ana@example.org,Ana Silva,40,1001,@ana_s,Developer,Open Guild,Brazil,ana-silva\n"
BRUNO = "bruno@example.org,Bruno Costa,0,1002,,student,,,\n"


def bring(text: str | bytes, **options) -> ImportReport:
    """Import a file with this text."""
    content = text.encode() if isinstance(text, str) else text
    return import_members(**{"actor": Member.objects.system()} | options, file=io.BytesIO(content))


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """Return the counts of added, updated, unchanged and rejected lines."""
    assert report.added + report.updated + report.unchanged + report.rejected == report.lines
    return report.added, report.updated, report.unchanged, report.rejected


def everything() -> dict[str, list[tuple]]:
    """Return the stored rows with their versions."""
    tables = ("members", "members_history", "community_members", "community_members_history", "events")
    stored = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT t.xmin::text, t::text FROM {table} t ORDER BY 2")
            stored[table] = cursor.fetchall()
    return stored


def entry_of(email: str) -> CommunityMember:
    return CommunityMember.objects.select_related("person").get(person__email=email)


def ana(**changes) -> str:
    """Return a file with one member, Ana, with some changed values."""
    values = dict(zip(FULL.strip().split(","), ANA.strip().split(","), strict=True)) | changes
    text = io.StringIO()
    writer = csv.DictWriter(text, values)
    writer.writeheader()
    writer.writerow(values)
    return text.getvalue()
