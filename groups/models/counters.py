from django.db import models


class MissionCounter(models.Model):
    """Changes of a group's counts by one connection since the last merge, kept by triggers.

    Each connection has its own slot (its backend's process number), so concurrent joins of one mission do not wait for
    each other. A job merges the slots into the group's row; `MissionCount` adds both.
    """

    pk = models.CompositePrimaryKey("group", "slot")
    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="counters", db_index=False)
    slot = models.IntegerField()
    member_count = models.IntegerField(default=0, db_default=0)
    membership_count = models.IntegerField(default=0, db_default=0)
    open_task_count = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "mission_counters"


class MissionCount(models.Model):
    """A view with the number of members, memberships and open tasks of each group.

    Read `group.counts.member_count`. Memberships include ended ones.
    """

    group = models.OneToOneField(
        "groups.Group", models.DO_NOTHING, primary_key=True, related_name="counts", db_constraint=False
    )
    member_count = models.IntegerField()
    membership_count = models.IntegerField()
    open_task_count = models.IntegerField()

    class Meta:
        db_table = "mission_counts"
        managed = False
