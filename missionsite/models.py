"""Models of the whole site."""

from typing import ClassVar

from django.contrib.auth.models import Group, GroupManager


class Role(Group):
    """A role of the back office: Django's group of permissions under the name the product uses."""

    objects: ClassVar[GroupManager] = GroupManager()

    class Meta:
        proxy = True
