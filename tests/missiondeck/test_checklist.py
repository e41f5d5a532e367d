"""The definition of done: add, tick, move and remove items, and progress."""

import pytest
from django.utils import timezone

from groups.models import Member
from missiondeck.models import Category, DodItem
from missiondeck.selectors.checklist import Progress, progress_of
from missiondeck.services.checklist import add_item, move_item, remove_item, tick_item, update_item
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.helpers import mission
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


def order(of, category=Category.FUNCTIONAL) -> list[str]:
    items = DodItem.objects.filter(mission=of, category=category)
    assert [item.position for item in items] == list(range(len(items)))
    return [item.text for item in items]


@pytest.fixture
def made():
    one = mission()
    for text in "abcd":
        add_item(actor=Member.objects.system(), mission=one, text=text)
    return one


def named(of, text) -> DodItem:
    return DodItem.objects.get(mission=of, text=text)


def test_new_item_is_last_in_category(made):
    add_item(actor=Member.objects.system(), mission=made, text=" tests pass ", category=Category.TESTS)
    assert order(made) == ["a", "b", "c", "d"]
    assert order(made, Category.TESTS) == ["tests pass"]


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_item_needs_text(made, text):
    with pytest.raises(ConstraintViolated, match="Enter the text of the item"):
        add_item(actor=Member.objects.system(), mission=made, text=text)
    with pytest.raises(ConstraintViolated, match="Enter the text of the item"):
        update_item(actor=Member.objects.system(), item=named(made, "a"), text=text)


@pytest.mark.seed("001 dod_items.completed", "001 dod_items.completed_at")
def test_tick_records_and_untick_clears_member_and_time(made):
    member, before = MemberFactory(), timezone.now()
    item = tick_item(item=named(made, "a"), done=True, actor=member)
    assert (item.completed, item.completed_by) == (True, member)
    assert before <= item.completed_at <= timezone.now()
    again = tick_item(item=item, done=True, actor=MemberFactory())
    assert (again.completed_at, again.completed_by) == (item.completed_at, member)
    opened = tick_item(item=item, done=False, actor=member)
    assert (opened.completed, opened.completed_at, opened.completed_by) == (False, None, None)


def test_item_ticked_by_job_belongs_to_system_member(made):
    system = Member.objects.system()
    item = tick_item(item=named(made, "a"), done=True, actor=system)
    assert (item.completed, item.completed_by) == (True, system)


@pytest.mark.parametrize(
    ("text", "to", "after"),
    [
        ("a", 0, "abcd"), ("a", 2, "bcad"), ("d", 0, "dabc"), ("b", 3, "acdb"), ("b", 99, "acdb"), ("c", -5, "cabd"),
    ],
)  # fmt: skip
def test_item_is_moved_to_position(made, text, to, after):
    add_item(actor=Member.objects.system(), mission=made, text="elsewhere", category=Category.TESTS)
    move_item(actor=Member.objects.system(), item=named(made, text), to=to)
    assert order(made) == list(after)
    assert order(made, Category.TESTS) == ["elsewhere"]


def test_item_is_changed_and_removed(made):
    update_item(actor=Member.objects.system(), item=named(made, "a"), text="A", category=Category.NON_FUNCTIONAL)
    assert named(made, "A").category == "non-functional"
    remove_item(actor=Member.objects.system(), item=named(made, "b"))
    assert [item.text for item in DodItem.objects.filter(mission=made, category="functional")] == ["c", "d"]
    with pytest.raises(TypeError, match="completed"):
        update_item(actor=Member.objects.system(), item=named(made, "c"), completed=True)


def test_progress_counts_each_category_and_all(made, django_assert_num_queries):
    tests = add_item(actor=Member.objects.system(), mission=made, text="t", category=Category.TESTS)
    for item in (named(made, "a"), tests):
        tick_item(item=item, done=True, actor=Member.objects.system())
    with django_assert_num_queries(1):
        progress = progress_of(made)
    assert progress == {
        "functional": Progress(1, 4),
        "non-functional": Progress(0, 0),
        "tests": Progress(1, 1),
        "": Progress(2, 5),
    }
    assert [progress[key].percent for key in progress] == [25, 0, 100, 40]


def test_percent_is_100_only_when_all_done():
    assert Progress(999, 1000).percent == 99
    assert Progress(1000, 1000).percent == 100
    assert Progress(0, 0).percent == 0


def test_removed_item_cannot_be_changed(made):
    item = named(made, "a")
    remove_item(actor=Member.objects.system(), item=item)
    remove_item(actor=Member.objects.system(), item=item)
    with pytest.raises(DodItem.DoesNotExist):
        tick_item(item=item, done=True, actor=Member.objects.system())
