"""Signals that other apps receive from this app."""

from django.dispatch import Signal

# An event was recorded, in the transaction of its change. event: the Event.
event_recorded = Signal()
# Participation was recorded, in the same transaction. seen: Member ids, each with the time it was last active; spoke:
# those of them who wrote a message.
participation_recorded = Signal()
# A person registered with an invitation, in the transaction of the registration; an exception of a receiver rolls it
# back. entry: their CommunityMember. locale, timezone: as chosen or as the browser reports; empty if unknown.
member_registered = Signal()
