"""Admin pages of lifecycle states and transitions, and the lifecycle page."""

import pytest
from django.urls import reverse

from engagement.models import EngagementMessage, EngagementStateTransition
from engagement.rules import MessageType, State, TransitionTrigger
from engagement.services.lifecycle import transition
from tests.engagement.members import active, goodbye, state_of
from tests.support.admin import client, client_of, page_text, staff
from tests.support.factories.groups import EntryFactory, MemberFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/engagement/userengagementstate/"
MOVES = "/admin/engagement/engagementstatetransition/"
LIFECYCLE = f"{LIST}lifecycle/"


def page(member, name: str = "change") -> str:
    return reverse(f"admin:engagement_userengagementstate_{name}", args=[state_of(member).pk])


@pytest.fixture
def operator():
    return client("Engagement Operator")


class TestList:
    def test_list_shows_state_and_trigger(self, operator):
        goodbye("Ana")
        active("Bob")
        shown = page_text(operator.get(LIST))
        assert "Goodbye sent" in shown
        assert "Inactive for 14 days" in shown
        assert "Initial state" in shown
        assert "None until the message is sent" in shown

    def test_list_filters_by_state_and_searches_members(self, operator):
        ana = goodbye("Ana Souza")
        active("Bob")
        for query in ("state__exact=goodbye_sent", "q=souza", f"q={ana.member_id}", f"q={ana.email}"):
            shown = page_text(operator.get(f"{LIST}?{query}"))
            assert "Ana Souza" in shown, query
            assert "Bob" not in shown, query

    @pytest.mark.parametrize("query", ["state__exact=gone", "p=0", "p=-99", "user__email=a", "o=1"])
    def test_invalid_filters_do_not_fail(self, operator, query):
        active("Ana")
        assert operator.get(f"{LIST}?{query}", follow=True).status_code == 200

    @pytest.mark.parametrize("rows", [1, 30])
    def test_list_makes_a_fixed_number_of_queries(self, operator, rows, django_assert_num_queries):
        for _ in range(rows):
            goodbye(MemberFactory.build().display_name)
        operator.get(LIST)
        with django_assert_num_queries(9):
            operator.get(LIST)

    def test_empty_list_shows_hint(self, operator):
        assert "No engagement states yet" in page_text(operator.get(LIST))

    def test_valid_triggers_show_blocked_goodbye(self, operator):
        assert "No goodbye would be sent" not in page_text(operator.get(page(active("Ana"))))
        bob = active("Bob")
        EntryFactory(person=bob, status="banned")
        shown = page_text(operator.get(page(bob)))
        assert "Inactive for 14 days. No goodbye would be sent: The member is banned." in shown

    def test_states_are_read_only(self, operator):
        ana = active("Ana")
        assert operator.get(f"{LIST}add/").status_code == 403
        assert operator.post(page(ana), {"state": "dormant"}).status_code == 403
        assert state_of(ana).state == State.ACTIVE


class TestMove:
    def test_change_state_queues_its_message(self, operator):
        ana = active("Ana", days_quiet=16)
        answer = operator.post(page(ana, "move"), {"trigger": TransitionTrigger.INACTIVITY_14D}, follow=True)
        assert "changed." in page_text(answer)
        assert state_of(ana).state == State.GOODBYE_SENT
        assert EngagementMessage.objects.get(user=ana).message_type == MessageType.GOODBYE
        move = EngagementStateTransition.objects.get(user=ana)
        assert move.metadata["days_inactive"] == 16
        assert move.metadata["by"].startswith("FE-P-")

    @pytest.mark.parametrize(
        "trigger", [each for each in TransitionTrigger if each != TransitionTrigger.INACTIVITY_14D]
    )
    def test_invalid_trigger_shows_error(self, operator, trigger):
        ana = active("Ana")
        answer = operator.post(page(ana, "move"), {"trigger": trigger})
        assert answer.status_code == 200
        assert (
            f"The trigger {trigger.value} is not valid in state active. Valid triggers: inactivity_14d."
            in page_text(answer)
        )
        assert state_of(ana).state == State.ACTIVE
        assert not EngagementStateTransition.objects.exists()

    def test_form_groups_valid_triggers(self, operator):
        form = operator.get(page(goodbye("Ana"), "move")).context["form"]
        groups = dict(form.fields["trigger"].choices[1:])
        assert len(groups["Valid in this state"]) == 5
        assert len(groups["Not valid in this state"]) == 2

    @pytest.mark.parametrize("trigger", ["", "jump", "\x00", "goodbye_sent"])
    def test_missing_trigger_is_a_field_error(self, operator, trigger):
        answer = operator.post(page(active("Ana"), "move"), {"trigger": trigger})
        assert answer.status_code == 200
        assert "trigger" in answer.context["form"].errors

    def test_bulk_change_reports_each_member(self, operator):
        ana, bob = goodbye("Ana"), active("Bob")
        chosen = {"action": "move", "_selected_action": [state_of(ana).pk, state_of(bob).pk]}
        answer = operator.post(LIST, chosen | {"apply": "1", "trigger": TransitionTrigger.USER_MESSAGE})
        assert "1 changed, 1 rejected." in page_text(answer)
        assert state_of(ana).state == State.ACTIVE

    @pytest.mark.parametrize("role", ["Community Manager", "Auditor", "Mission Manager"])
    def test_other_roles_can_only_view(self, role):
        ana = active("Ana")
        looker = client(role)
        assert looker.get(LIST).status_code == 200
        assert looker.get(page(ana)).status_code == 200
        assert looker.post(page(ana, "move"), {"trigger": "inactivity_14d"}).status_code == 403
        assert "/move/" not in looker.get(page(ana)).content.decode()
        assert state_of(ana).state == State.ACTIVE

    def test_pages_need_a_role(self):
        no_one = client_of(staff())
        assert no_one.get(LIST).status_code == 403
        assert no_one.get(LIFECYCLE).status_code == 403


class TestTransitions:
    def test_list_shows_transitions_as_text(self, operator):
        ana = goodbye("Ana")
        transition(actor=ana, member=ana, trigger=TransitionTrigger.GOODBYE_RESPONSE_2)
        shown = page_text(operator.get(MOVES))
        assert "Active → Goodbye sent" in shown
        assert "inactive for 20 days" in shown
        assert "answered: busy" in shown

    def test_list_filters_transitions(self, operator):
        ana = goodbye("Ana")
        transition(actor=ana, member=ana, trigger=TransitionTrigger.GOODBYE_RESPONSE_1)
        shown = page_text(operator.get(f"{MOVES}?trigger__exact=goodbye_response_1"))
        assert "Goodbye sent → Help flow" in shown
        assert "Active → Goodbye sent" not in shown

    @pytest.mark.parametrize("rows", [1, 30])
    def test_list_makes_a_fixed_number_of_queries(self, operator, rows, django_assert_num_queries):
        for _ in range(rows):
            goodbye("Ana")
        operator.get(MOVES)
        with django_assert_num_queries(9):
            operator.get(MOVES)

    def test_markup_in_details_is_escaped(self, operator):
        ana = active("<b>Ana</b>")
        EngagementStateTransition.objects.create(
            user=ana,
            from_state=State.DORMANT,
            to_state=State.ACTIVE,
            trigger=TransitionTrigger.USER_MESSAGE,
            metadata={"note": "<script>1</script>"},
        )
        page = operator.get(MOVES).content.decode()
        assert "<script>1</script>" not in page
        assert "<b>Ana</b>" not in page


class TestMachine:
    def test_diagram_shows_five_states_and_ten_transitions(self, operator):
        for name in ("Ana", "Bob"):
            goodbye(name)
        cleo = goodbye("Cleo")
        transition(actor=cleo, member=cleo, trigger=TransitionTrigger.GOODBYE_TIMEOUT)
        answer = operator.get(LIFECYCLE)
        page = answer.content.decode()
        assert page.count('class="lifecycle-state"') == 5
        assert page.count('class="lifecycle-move"') == 10
        states = {each["name"]: each["count"] for each in answer.context["states"]}
        assert states == {"active": "0", "goodbye_sent": "2", "help_flow": "0", "remind_later": "0", "dormant": "1"}
        moves = {(each["before"], each["why"]): each["count"] for each in answer.context["moves"]}
        assert moves["Active", "Inactive for 14 days"] == "3"
        assert moves["Goodbye sent", "Did not answer"] == "1"
        assert "<script>" not in page.split('id="lifecycle"')[1]

    def test_each_number_links_to_its_list(self, operator):
        ana = goodbye("Ana")
        active("Bob")
        answer = operator.get(LIFECYCLE)
        (place,) = [each for each in answer.context["states"] if each["name"] == "goodbye_sent"]
        shown = page_text(operator.get(place["list"]))
        assert ana.display_name in shown
        assert "Bob" not in shown
        (move,) = [each for each in answer.context["moves"] if each["count"] == "1"]
        assert operator.get(move["list"]).context["cl"].result_count == 1

    def test_numbers_take_two_queries(self, operator, django_assert_num_queries):
        goodbye("Ana")
        operator.get(LIFECYCLE)
        with django_assert_num_queries(7) as asked:
            operator.get(LIFECYCLE, headers={"X-Fragment": "lifecycle"})
        assert sum("GROUP BY" in query["sql"] for query in asked.captured_queries) == 2

    def test_fragment_is_only_the_diagram(self, operator):
        page = operator.get(LIFECYCLE, headers={"X-Fragment": "lifecycle"}).content.decode()
        assert "lifecycle-state" in page
        assert "<html" not in page


class TestMember:
    def test_member_tab_shows_engagement(self, operator):
        ana = goodbye("Ana")
        shown = page_text(operator.get(reverse("admin:groups_member_engagement", args=[ana.pk])))
        for expected in (
            "Goodbye sent",
            "Inactive for 14 days",
            "Reply expected until",
            "Next message",
            "Individual chat",
        ):
            assert expected in shown

    def test_member_tab_without_activity(self, operator):
        shown = page_text(operator.get(reverse("admin:groups_member_engagement", args=[MemberFactory().pk])))
        assert "this member has not been active yet" in shown
        assert "No message is scheduled for this member" in shown

    def test_dashboard_counts_goodbyes_sent(self, operator):
        goodbye("Ana")
        cards = {card["title"]: card for card in operator.get("/admin/").context["cards"]}
        assert cards["Members at risk"]["count"] == "1"
        assert "Ana" in page_text(operator.get(cards["Members at risk"]["link"]))
