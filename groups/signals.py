"""What this app tells the apps above it; none of them is known here."""

from django.dispatch import Signal

# An event was written down, in the transaction of its change. event: the Event.
event_recorded = Signal()
# Members took part. seen: their accounts (Member ids) and when each was last seen; spoke: those of them who wrote a
# message. Sent in the transaction that writes the participation down.
participation_recorded = Signal()
# Someone registered with an invitation, in the transaction of the registration; an exception of a receiver undoes it.
# entry: their CommunityMember. locale, timezone: what they chose or their browser says; empty where it is not known.
member_registered = Signal()
