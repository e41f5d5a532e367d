from django.db import models
from django.utils.translation import gettext_lazy as _


class MissionCounter(models.Model):
    """Changes of a group's counts by one connection since the last merge, kept by triggers.

    Each connection has its own slot (its backend's process number), so concurrent joins of one mission do not wait for
    each other. A job merges the slots into the group's row; `MissionCount` adds both.
    """

    pk = models.CompositePrimaryKey("group", "slot")
    group = models.ForeignKey(
        "groups.Group", models.CASCADE, related_name="counters", db_index=False, verbose_name=_("mission or colony")
    )
    slot = models.IntegerField(_("slot"))
    member_count = models.IntegerField(_("members"), default=0, db_default=0)
    membership_count = models.IntegerField(_("memberships"), default=0, db_default=0)
    open_task_count = models.IntegerField(_("open tasks"), default=0, db_default=0)

    class Meta:
        db_table = "mission_counters"
        verbose_name = _("mission counter")
        verbose_name_plural = _("mission counters")


class MissionCount(models.Model):
    """A view with the number of members, memberships and open tasks of each group.

    Read `group.counts.member_count`. Memberships include ended ones.
    """

    group = models.OneToOneField(
        "groups.Group",
        models.DO_NOTHING,
        primary_key=True,
        related_name="counts",
        db_constraint=False,
        verbose_name=_("mission or colony"),
    )
    member_count = models.IntegerField(_("members"))
    membership_count = models.IntegerField(_("memberships"))
    open_task_count = models.IntegerField(_("open tasks"))

    class Meta:
        db_table = "mission_counts"
        managed = False
        verbose_name = _("mission count")
        verbose_name_plural = _("mission counts")
