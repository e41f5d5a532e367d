from django.urls import path, register_converter

from missionsite.portal import directory, missions, own_data, preferences, returns, views


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
    path("return/<str:secret>/", returns.take_back, name="return"),
    path("login/", views.log_in, name="login"),
    path("logout/", views.log_out, name="logout"),
    path("language/", views.language, name="language"),
    path("me/", views.me, name="me"),
    path("me/edit/", views.edit, name="edit"),
    path("me/messages/", preferences.messages_page, name="messages"),
    path("me/messages/zone/", preferences.use_browser_zone, name="zone"),
    path("me/data/", own_data.own_data, name="own_data"),
    path("me/data/<uuid:job>/", own_data.own_data_file, name="own_data_file"),
    path("me/password/", views.password, name="password"),
    path("me/missions/", missions.mission_list, name="missions"),
    path("me/missions/<str:mission_id>/", missions.mission_detail, name="mission"),
    path("me/missions/<str:mission_id>/join/", missions.join, name="mission_join"),
    path("me/missions/<str:mission_id>/ask/", missions.ask, name="mission_ask"),
    path("me/missions/<str:mission_id>/wait/", missions.wait, name="mission_wait"),
    path("me/missions/<str:mission_id>/request/<str:action>/", missions.answer, name="mission_answer"),
    path("me/missions/<str:mission_id>/leave/", missions.leave, name="mission_leave"),
    path("me/missions/<str:mission_id>/tasks/<str:task_id>/<str:action>/", missions.task_action, name="mission_task"),
    path("directory/", directory.member_list, name="directory"),
    path("directory/<int:number>/", directory.member_detail, name="member"),
]
