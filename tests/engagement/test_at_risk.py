"""The engagement states as a view of who is about to get a goodbye."""

import pytest

from engagement.models import UserEngagementState, UserProfile
from tests.support.admin import client, page_text
from tests.support.factories.engagement import quiet_person

pytestmark = pytest.mark.django_db
LIST = "/admin/engagement/userengagementstate/"


@pytest.fixture
def operator():
    return client("Engagement Operator")


def names(answer) -> list[str]:
    return [row.user.display_name for row in answer.context["cl"].result_list]


def test_filter_shows_who_is_due_within_days(operator):
    for name, days in (("Fresh", 1), ("Soon", 12), ("Due", 20)):
        quiet_person(days=days, display_name=name)
    rare = quiet_person(days=20, display_name="Rare")
    UserEngagementState.objects.filter(user=rare).update(unanswered_goodbyes=1)
    assert set(names(operator.get(f"{LIST}?goodbye=3"))) == {"Soon", "Due"}
    assert set(names(operator.get(f"{LIST}?goodbye=14"))) == {"Fresh", "Soon", "Due", "Rare"}
    shown = page_text(operator.get(f"{LIST}?goodbye=3"))
    assert "Days quiet" in shown
    assert ">12<" in shown.replace(" ", "")


def test_filter_shows_who_gets_none_and_why(operator):
    quiet_person(days=20, display_name="Due")
    out = quiet_person(days=20, display_name="Out")
    UserProfile.objects.filter(pk=out.pk).update(reengagement_opt_out=True)
    answer = operator.get(f"{LIST}?goodbye=blocked")
    assert names(answer) == ["Out"]
    assert "The member has opted out." in page_text(answer)


def test_list_is_sorted_by_days_quiet(operator):
    for name, days in (("Two", 2), ("Nine", 9), ("Five", 5)):
        quiet_person(days=days, display_name=name)
    position = [*operator.get(LIST).context["cl"].list_display].index("days_quiet")
    assert names(operator.get(f"{LIST}?o=-{position}")) == ["Nine", "Five", "Two"]
