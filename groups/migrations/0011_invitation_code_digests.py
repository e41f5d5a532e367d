from django.db import migrations

from missionsite.common.sqlfiles import SQLFile


class Migration(migrations.Migration):
    """Digests instead of the codes of invitations; a pending invitation may get another code.

    Going back does not restore the codes: a digest cannot be read backwards. Codes that were handed out do not work in
    the older version; going forward again, they do.
    """

    dependencies = [
        ("groups", "0010_erase"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [SQLFile(__file__, "code_digests")]
