"""URLs of client missions that need no login."""

from django.urls import path

from missiondeck.views import feed

urlpatterns = [path("feeds/<str:secret>.ics", feed, name="deck_feed")]
