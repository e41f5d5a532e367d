from django.contrib import admin
from django.urls import include, path

from engagement.mail_events import mail_events
from engagement.mail_inbound import mail_inbound
from fallback.github_webhook import github_webhook
from missionsite import favourites, saved_views
from missionsite.api import api
from missionsite.dashboard.community import community_health
from missionsite.portal import accounts, client, views
from missionsite.portal import urls as portal
from missionsite.portal.unsubscribe import unsubscribe
from missionsite.portal.view_as import stop as stop_viewing_as

urlpatterns = [
    path("", views.home),
    path("api/", api.urls),
    # One log-in for everyone; admin.site.login leads here.
    path("admin/login/", views.log_in),
    path("admin/favourites/", admin.site.admin_view(favourites.list_view), name="favourites"),
    path("admin/favourites/mark/", admin.site.admin_view(favourites.mark_view), name="mark_favourite"),
    path("admin/community-health/", admin.site.admin_view(community_health), name="community_health"),
    path("admin/views/save/", admin.site.admin_view(saved_views.save), name="save_view"),
    path("admin/views/<int:view>/delete/", admin.site.admin_view(saved_views.delete), name="delete_view"),
    path("admin/", admin.site.urls),
    path("account/", include(accounts.urls(views.log_in, views.log_out))),
    path("client/<str:secret>/", client.client_page, name="client"),
    path("client/<str:secret>/report/", client.client_report, name="client_report"),
    path("view-as/stop/", stop_viewing_as, name="stop_viewing"),
    path("deck/", include("missiondeck.urls")),
    path("github/webhook/", github_webhook, name="github_webhook"),
    path("github/webhook/<str:organization_id>/", github_webhook, name="organization_github_webhook"),
    path("mail-events/<str:provider>/", mail_events, name="mail_events"),
    path("mail-inbound/<str:provider>/", mail_inbound, name="mail_inbound"),
    # Any text, as for codes, so that every invalid link gives the same page.
    path("unsubscribe/<any:token>/", unsubscribe, name="unsubscribe"),
    path("", include(portal)),
]
handler400 = "missionsite.common.error_pages.bad_request"
handler403 = "missionsite.common.error_pages.permission_denied"
handler404 = "missionsite.common.error_pages.not_found"
handler500 = "missionsite.common.error_pages.server_error"
