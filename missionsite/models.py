"""Models of the whole site."""

from typing import ClassVar

from django.contrib.auth.models import Group, GroupManager
from django.utils.translation import gettext_lazy as _


class Role(Group):
    """A role of the back office: Django's group of permissions under the name the product uses."""

    objects: ClassVar[GroupManager] = GroupManager()

    class Meta:
        proxy = True
        verbose_name = _("role")
        verbose_name_plural = _("roles")
