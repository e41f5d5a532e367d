from django.db import models


class MissionCounter(models.Model):
    """A share of a group's counts, kept by triggers; the sum over its slots is the count.

    Each connection counts in a slot of its own (its backend's process number), so joins and leaves of one busy
    mission never wait for one another. A job folds the slots into slot 0.
    """

    pk = models.CompositePrimaryKey("group", "slot")
    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="counters", db_index=False)
    slot = models.IntegerField()
    member_count = models.BigIntegerField(default=0, db_default=0)
    open_task_count = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "mission_counters"
