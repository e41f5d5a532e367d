"""Factories of the groups app. Each makes the least that is valid."""

import factory
from django.utils import timezone

from groups.models import Group, Member, Membership, Task

# One hash for every test member: hashing is slow on purpose.
PASSWORD = "correct horse battery staple"


class MemberFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Member
        skip_postgeneration_save = True

    display_name = factory.Sequence(lambda n: f"Member {n}")
    email = factory.Sequence(lambda n: f"member{n}@example.org")

    @factory.post_generation
    def password(self, create, extracted, **kwargs):
        if extracted:
            self.set_password(extracted)
            self.save(update_fields=["password"])


class StaffFactory(MemberFactory):
    is_staff = True


class ColonyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Group

    name = factory.Sequence(lambda n: f"Colony {n}")
    type = Group.Type.COLONY
    min_trust_score = None


class MissionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Group

    name = factory.Sequence(lambda n: f"Mission {n}")
    type = Group.Type.MISSION
    parent_group = factory.SubFactory(ColonyFactory)


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    member = factory.SubFactory(MemberFactory)
    group = factory.SubFactory(MissionFactory)

    class Params:
        ended = factory.Trait(status=Membership.Status.LEFT, left_at=factory.LazyFunction(timezone.now))


class TaskFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Task

    group = factory.SubFactory(MissionFactory)
    title = factory.Sequence(lambda n: f"Task {n}")
