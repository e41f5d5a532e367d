from django.db import migrations

from missionsite.common.sqlfiles import add_one_line_checks


class Migration(migrations.Migration):
    """Texts that are typed on one line have one; older ones get blanks in place of control characters."""

    dependencies = [("missiondeck", "0009_confirmed_assignees")]

    operations = [
        *add_one_line_checks(
            "DeckMission", "deck_missions", "title", "client", "currency", "assigned_to", "github_url"
        ),
        *add_one_line_checks("DodItem", "dod_items", "text"),
        *add_one_line_checks("DeckFeed", "deck_feeds", "name"),
    ]
