"""What of client missions is open to whoever has a secret address."""

from django.urls import path

from missiondeck.views import feed

urlpatterns = [path("feeds/<str:secret>.ics", feed, name="deck_feed")]
