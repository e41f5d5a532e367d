"""Factories of the groups app. Each creates a minimal valid row."""

from datetime import timedelta

import factory
from django.utils import timezone

from groups.models import (
    CommunityInvitation,
    CommunityMember,
    Group,
    JoinRequest,
    Member,
    MemberParticipation,
    Membership,
    Task,
)
from groups.models.invitations import digest_of_code
from groups.services.invitations import new_code

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


class JoinRequestFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = JoinRequest

    member = factory.SubFactory(MemberFactory)
    group = factory.SubFactory(MissionFactory)
    created_by = factory.SelfAttribute("member")


class TaskFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Task

    group = factory.SubFactory(MissionFactory)
    title = factory.Sequence(lambda n: f"Task {n}")


class EntryFactory(factory.django.DjangoModelFactory):
    """Create an active entry with an account; person=None: without one."""

    class Meta:
        model = CommunityMember

    person = factory.SubFactory(MemberFactory)
    name = factory.Sequence(lambda n: f"Person {n}")
    telegram_id = factory.Sequence(lambda n: f"70000{n}")
    primary_role = "developer"
    status = "active"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        entry = super()._create(model_class, *args, **kwargs)
        # The database assigns the number and the tier.
        entry.refresh_from_db()
        return entry


class InvitationFactory(factory.django.DjangoModelFactory):
    """Create a pending invitation, valid for three days."""

    class Meta:
        model = CommunityInvitation

    code = factory.LazyFunction(new_code)
    invitation_code = factory.LazyAttribute(lambda made: digest_of_code(made.code))
    created_by = factory.SubFactory(EntryFactory)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=3))

    @classmethod
    def _create(cls, model_class, *args, code, **kwargs):
        invitation = super()._create(model_class, *args, **kwargs)
        invitation.code = code
        return invitation


class ParticipationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MemberParticipation

    member = factory.SubFactory(EntryFactory)
    event_type = "MESSAGE"
    platform = "telegram"
    room_id = "-100200300"
