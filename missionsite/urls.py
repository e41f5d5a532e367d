from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from missionsite.api import api

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
    path("", include("missionsite.community.urls")),
]
handler500 = "missionsite.common.error_pages.server_error"
