from django.db import migrations

from missionsite.common.sqlfiles import one_line_rules


class Migration(migrations.Migration):
    """Texts that are typed on one line have one; older ones get blanks in place of control characters."""

    dependencies = [("missiondeck", "0009_confirmed_assignees")]

    operations = [
        *one_line_rules("DeckMission", "deck_missions", "title", "client", "currency", "assigned_to", "github_url"),
        *one_line_rules("DodItem", "dod_items", "text"),
        *one_line_rules("DeckFeed", "deck_feeds", "name"),
    ]
