from django.urls import path, register_converter

from missionsite.portal import directory, own_data, preferences, views


class AnyText:
    """Any text, including slashes and line breaks, so that every invalid code gives the same page."""

    regex = r"(?s:.+)"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(AnyText, "any")

app_name = "portal"
urlpatterns = [
    path("join/", views.join, name="join"),
    path("join/<any:code>/", views.register, name="register"),
    path("login/", views.log_in, name="login"),
    path("logout/", views.log_out, name="logout"),
    path("language/", views.language, name="language"),
    path("me/", views.me, name="me"),
    path("me/edit/", views.edit, name="edit"),
    path("me/messages/", preferences.messages_page, name="messages"),
    path("me/messages/zone/", preferences.use_browser_zone, name="zone"),
    path("me/data/", own_data.own_data, name="own_data"),
    path("me/password/", views.password, name="password"),
    path("directory/", directory.member_list, name="directory"),
    path("directory/<int:number>/", directory.member_detail, name="member"),
]
