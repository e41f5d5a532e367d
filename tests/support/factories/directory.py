"""Factories of the community directory. Each creates a minimal valid row."""

from datetime import timedelta

import factory
from django.utils import timezone

from groups.models import CommunityInvitation, CommunityMember, MemberParticipation, MemberRelationship
from groups.models.invitations import digest_of_code
from groups.services.invitations import new_code
from tests.support.factories.groups import MemberFactory


class EntryFactory(factory.django.DjangoModelFactory):
    """Create an active entry without an account."""

    class Meta:
        model = CommunityMember

    name = factory.Sequence(lambda n: f"Person {n}")
    primary_role = "developer"
    telegram_id = factory.Sequence(lambda n: f"7000{n}")
    status = "active"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        entry = super()._create(model_class, *args, **kwargs)
        # The database assigns the number and the tier.
        entry.refresh_from_db()
        return entry

    class Params:
        removed = factory.Trait(deleted_at=factory.LazyFunction(timezone.now))
        with_account = factory.Trait(
            person=factory.SubFactory(MemberFactory, display_name=factory.SelfAttribute("..name"))
        )


class InvitationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CommunityInvitation

    created_by = factory.SubFactory(EntryFactory)
    code = factory.LazyFunction(new_code)
    invitation_code = factory.LazyAttribute(lambda made: digest_of_code(made.code))
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=3))

    @classmethod
    def _create(cls, model_class, *args, code, **kwargs):
        invitation = super()._create(model_class, *args, **kwargs)
        invitation.code = code
        return invitation


class RelationshipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MemberRelationship

    entity_id_a = factory.Sequence(lambda n: f"entity-{n}-a")
    entity_id_b = factory.Sequence(lambda n: f"entity-{n}-b")
    relationship_type = "MENTORED"
    content = factory.LazyFunction(dict)


class ParticipationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MemberParticipation

    member = factory.SubFactory(EntryFactory)
    event_type = "MESSAGE"
    platform = "telegram"
    room_id = "-1001"
    occurred_at = factory.LazyFunction(timezone.now)
