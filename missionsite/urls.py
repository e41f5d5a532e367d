from django.contrib import admin
from django.urls import include, path

from missionsite.api import api
from missionsite.community.views import first_page

urlpatterns = [
    path("", first_page),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
    path("unsubscribe/<str:token>/", first_page, name="unsubscribe"),
    path("", include("missionsite.community.urls")),
]
handler500 = "missionsite.common.error_pages.server_error"
