"""Models of the whole site."""

from typing import ClassVar

from django.contrib.auth.models import Group, GroupManager
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(Group):
    """A role of the back office: Django's group of permissions under the name the product uses."""

    objects: ClassVar[GroupManager] = GroupManager()

    class Meta:
        proxy = True
        verbose_name = _("role")
        verbose_name_plural = _("roles")


class SiteFigure(models.Model):
    """A number of the whole site: what happened on a day, or what there was at its end. A job writes the rows."""

    pk = models.CompositePrimaryKey("name", "day")
    name = models.TextField(_("name"))
    day = models.DateField(_("day"))
    value = models.BigIntegerField(_("value"))
    refreshed_at = models.DateTimeField(_("refreshed"), db_default=TransactionNow())

    class Meta:
        db_table = "site_figures"
        db_table_comment = "Numbers of the whole site by day, for the plots of the home page."
        verbose_name = _("figure of a day")
        verbose_name_plural = _("figures by day")
        indexes = [models.Index(fields=["day"], name="site_figures_day")]

    def __str__(self) -> str:
        return f"{self.name} {self.day}"
