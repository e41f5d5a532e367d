"""What belongs to the site as a whole."""

from django.contrib.auth.models import Group, GroupManager


class Role(Group):
    """What someone may do in the back office: Django's group of permissions, under the name people know it by."""

    objects = GroupManager()

    class Meta:
        proxy = True
