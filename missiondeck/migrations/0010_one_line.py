from django.db import migrations

from missionsite.common.sqlfiles import add_one_line_checks


class Migration(migrations.Migration):
    """Require single-line texts; control characters in existing ones become blanks."""

    dependencies = [("missiondeck", "0009_confirmed_assignees")]

    operations = [
        *add_one_line_checks(
            "DeckMission", "deck_missions", "title", "client", "currency", "assigned_to", "github_url"
        ),
        *add_one_line_checks("DodItem", "dod_items", "text"),
        *add_one_line_checks("DeckFeed", "deck_feeds", "name"),
    ]
