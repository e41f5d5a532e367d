"""Models of the whole site."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group, GroupManager
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint, UniqueConstraint, one_line_checks


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


class Favourite(models.Model):
    """A page of the back office that a member has marked with a star. Names are read with the page, never stored."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="favourites",
        # The unique constraint begins with it.
        db_index=False,
        verbose_name=_("member"),
    )
    path = models.CharField(_("address"), max_length=310)
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "site_favourites"
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = [
            CheckConstraint(
                condition=Q(path__regex="^/admin/[!-~]*$"),
                name="site_favourites_path_form",
                violation_error_message=_("Only pages of the back office can be favourites."),
                violation_error_code="favourite_rejected",
            ),
            UniqueConstraint(
                fields=["member", "path"],
                name="site_favourites_unique",
                violation_error_message=_("This page is a favourite already."),
                violation_error_code="favourite_taken",
            ),
        ]

    def __str__(self) -> str:
        return self.path


class SavedView(models.Model):
    """A list with its search, filters, order and columns under a name, for one member or for all of a role."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="saved_views",
        # The unique constraint begins with it.
        db_index=False,
        verbose_name=_("member"),
    )
    path = models.CharField(_("list"), max_length=100)
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filters"), max_length=1500)
    # Null: only the member sees it.
    role = models.ForeignKey(
        "auth.Group", models.SET_NULL, null=True, blank=True, related_name="saved_views", verbose_name=_("shared with")
    )
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "site_saved_views"
        db_table_comment = "Lists of the back office with filters and columns, under names that members gave them."
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            CheckConstraint(
                condition=Q(path__regex=r"^/admin/[a-z_]+/[a-z_]+/$"),
                name="site_saved_views_path_form",
                violation_error_message=_("Only lists of the back office can be saved as views."),
                violation_error_code="view_rejected",
            ),
            CheckConstraint(
                condition=Q(query__regex=r"^[!-~]+$"),
                name="site_saved_views_query_form",
                violation_error_message=_("Filter, sort or choose columns before you save the view."),
                violation_error_code="view_without_filters",
            ),
            CheckConstraint(
                condition=~Q(name__regex=r"^\s*$"),
                name="site_saved_views_name_not_blank",
                violation_error_message=_("Enter a name for the view."),
                violation_error_code="view_name_missing",
            ),
            *one_line_checks("site_saved_views", "name"),
            UniqueConstraint(
                fields=["member", "path", "name"],
                name="site_saved_views_unique",
                violation_error_message=_("You have a view of this list with this name."),
                violation_error_code="view_name_taken",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        return f"{self.path}?{self.query}"
