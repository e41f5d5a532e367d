"""URLs for CI jobs: the API, whose responses link to the back office."""

from django.contrib import admin
from django.urls import path

from missionsite.api import api
from tests.common.live_urls import state

urlpatterns = [path("state", state), path("api/", api.urls), path("admin/", admin.site.urls)]
