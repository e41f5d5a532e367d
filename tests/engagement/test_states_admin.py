"""The machine in the back office: where members stand, why, and moving one by hand."""

import pytest
from django.urls import reverse

from engagement.models import EngagementMessage, EngagementStateTransition, MessageType, State, TransitionTrigger
from engagement.services.lifecycle import transition
from tests.engagement.members import active, goodbye, state_of
from tests.support.admin import client, client_of, staff, words
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
    def test_says_where_a_member_stands_and_why(self, operator):
        goodbye("Ana")
        active("Bob")
        shown = words(operator.get(LIST))
        assert "Goodbye sent" in shown
        assert "Quiet for two weeks" in shown
        assert "Everyone begins here" in shown
        assert "Dormant without an answer until" in shown

    def test_filters_by_state_and_finds_by_member(self, operator):
        ana = goodbye("Ana Souza")
        active("Bob")
        for query in ("state__exact=goodbye_sent", "q=souza", f"q={ana.member_id}", f"q={ana.email}"):
            shown = words(operator.get(f"{LIST}?{query}"))
            assert "Ana Souza" in shown, query
            assert "Bob" not in shown, query

    @pytest.mark.parametrize("query", ["state__exact=gone", "p=0", "p=-99", "user__email=a", "o=1"])
    def test_odd_addresses_are_no_error_page(self, operator, query):
        active("Ana")
        assert operator.get(f"{LIST}?{query}", follow=True).status_code == 200

    @pytest.mark.parametrize("rows", [1, 30])
    def test_makes_a_fixed_number_of_queries(self, operator, rows, django_assert_num_queries):
        for _ in range(rows):
            goodbye(MemberFactory.build().display_name)
        operator.get(LIST)
        with django_assert_num_queries(8):
            operator.get(LIST)

    def test_says_what_to_expect_where_there_is_no_one(self, operator):
        assert "No one is in the machine yet" in words(operator.get(LIST))

    def test_possible_moves_say_why_no_goodbye_would_be_sent(self, operator):
        assert "No goodbye would be sent" not in words(operator.get(page(active("Ana"))))
        bob = active("Bob")
        EntryFactory(person=bob, status="banned")
        shown = words(operator.get(page(bob)))
        assert "Quiet for two weeks. No goodbye would be sent: The member is banned." in shown

    def test_adds_and_edits_nothing(self, operator):
        ana = active("Ana")
        assert operator.get(f"{LIST}add/").status_code == 403
        assert operator.post(page(ana), {"state": "dormant"}).status_code == 403
        assert state_of(ana).state == State.ACTIVE


class TestMove:
    def test_moves_with_the_message_that_goes_with_it(self, operator):
        ana = active("Ana", days_quiet=16)
        answer = operator.post(page(ana, "move"), {"trigger": TransitionTrigger.INACTIVITY_14D}, follow=True)
        assert "moved." in words(answer)
        assert state_of(ana).state == State.GOODBYE_SENT
        assert EngagementMessage.objects.get(user=ana).message_type == MessageType.GOODBYE
        move = EngagementStateTransition.objects.get(user=ana)
        assert move.metadata["days_inactive"] == 16
        assert move.metadata["by"].startswith("FE-P-")

    @pytest.mark.parametrize(
        "trigger", [each for each in TransitionTrigger if each != TransitionTrigger.INACTIVITY_14D]
    )
    def test_a_rejected_pair_is_a_sentence_on_the_same_page(self, operator, trigger):
        ana = active("Ana")
        answer = operator.post(page(ana, "move"), {"trigger": trigger})
        assert answer.status_code == 200
        assert f"A member who is in active does not move by {trigger.value}. Possible: inactivity_14d." in words(answer)
        assert state_of(ana).state == State.ACTIVE
        assert not EngagementStateTransition.objects.exists()

    def test_offers_what_is_possible_apart_from_the_rest(self, operator):
        form = operator.get(page(goodbye("Ana"), "move")).context["form"]
        groups = dict(form.fields["trigger"].choices[1:])
        assert len(groups["Possible now"]) == 5
        assert len(groups["MessageRejected in this state"]) == 2

    @pytest.mark.parametrize("trigger", ["", "jump", "\x00", "goodbye_sent"])
    def test_no_trigger_is_an_error_of_the_field(self, operator, trigger):
        answer = operator.post(page(active("Ana"), "move"), {"trigger": trigger})
        assert answer.status_code == 200
        assert "trigger" in answer.context["form"].errors

    def test_many_at_once_each_moved_or_rejected(self, operator):
        ana, bob = goodbye("Ana"), active("Bob")
        chosen = {"action": "move", "_selected_action": [state_of(ana).pk, state_of(bob).pk]}
        answer = operator.post(LIST, chosen | {"apply": "1", "trigger": TransitionTrigger.USER_MESSAGE})
        assert "1 moved, 1 rejected." in words(answer)
        assert state_of(ana).state == State.ACTIVE

    @pytest.mark.parametrize("role", ["Community Manager", "Auditor", "Mission Manager"])
    def test_others_look_and_do_not_move(self, role):
        ana = active("Ana")
        looker = client(role)
        assert looker.get(LIST).status_code == 200
        assert looker.get(page(ana)).status_code == 200
        assert looker.post(page(ana, "move"), {"trigger": "inactivity_14d"}).status_code == 403
        assert "/move/" not in looker.get(page(ana)).content.decode()
        assert state_of(ana).state == State.ACTIVE

    def test_without_a_role_nothing_is_seen(self):
        no_one = client_of(staff())
        assert no_one.get(LIST).status_code == 403
        assert no_one.get(LIFECYCLE).status_code == 403


class TestTransitions:
    def test_says_what_happened_in_words(self, operator):
        ana = goodbye("Ana")
        transition(member=ana, trigger=TransitionTrigger.GOODBYE_RESPONSE_2)
        shown = words(operator.get(MOVES))
        assert "Active → Goodbye sent" in shown
        assert "quiet for 20 days" in shown
        assert "answered: busy" in shown

    def test_filters_leave_the_rest_out(self, operator):
        transition(member=goodbye("Ana"), trigger=TransitionTrigger.GOODBYE_RESPONSE_1)
        shown = words(operator.get(f"{MOVES}?trigger__exact=goodbye_response_1"))
        assert "Goodbye sent → Help flow" in shown
        assert "Active → Goodbye sent" not in shown

    @pytest.mark.parametrize("rows", [1, 30])
    def test_makes_a_fixed_number_of_queries(self, operator, rows, django_assert_num_queries):
        for _ in range(rows):
            goodbye("Ana")
        operator.get(MOVES)
        with django_assert_num_queries(8):
            operator.get(MOVES)

    def test_markup_in_details_stays_text(self, operator):
        transition(
            member=active("<b>Ana</b>"),
            trigger=TransitionTrigger.INACTIVITY_14D,
            metadata={"note": "<script>1</script>"},
        )
        page = operator.get(MOVES).content.decode()
        assert "<script>1</script>" not in page
        assert "<b>Ana</b>" not in page


class TestMachine:
    def test_draws_five_states_and_ten_ways_with_their_numbers(self, operator):
        for name in ("Ana", "Bob"):
            goodbye(name)
        transition(member=goodbye("Cleo"), trigger=TransitionTrigger.GOODBYE_TIMEOUT)
        answer = operator.get(LIFECYCLE)
        page = answer.content.decode()
        assert page.count('class="lifecycle-state"') == 5
        assert page.count('class="lifecycle-move"') == 10
        states = {each["name"]: each["count"] for each in answer.context["states"]}
        assert states == {"active": "0", "goodbye_sent": "2", "help_flow": "0", "remind_later": "0", "dormant": "1"}
        moves = {(each["before"], each["why"]): each["count"] for each in answer.context["moves"]}
        assert moves["Active", "Quiet for two weeks"] == "3"
        assert moves["Goodbye sent", "Did not answer"] == "1"
        assert "<script>" not in page.split('id="lifecycle"')[1]

    def test_each_number_leads_to_exactly_that_list(self, operator):
        ana = goodbye("Ana")
        active("Bob")
        answer = operator.get(LIFECYCLE)
        (place,) = [each for each in answer.context["states"] if each["name"] == "goodbye_sent"]
        shown = words(operator.get(place["list"]))
        assert ana.display_name in shown
        assert "Bob" not in shown
        (move,) = [each for each in answer.context["moves"] if each["count"] == "1"]
        assert operator.get(move["list"]).context["cl"].result_count == 1

    def test_its_numbers_are_two_statements(self, operator, django_assert_num_queries):
        goodbye("Ana")
        operator.get(LIFECYCLE)
        with django_assert_num_queries(7) as asked:
            operator.get(LIFECYCLE, headers={"X-Fragment": "lifecycle"})
        assert sum("GROUP BY" in query["sql"] for query in asked.captured_queries) == 2

    def test_a_fragment_is_the_drawing_alone(self, operator):
        page = operator.get(LIFECYCLE, headers={"X-Fragment": "lifecycle"}).content.decode()
        assert "lifecycle-state" in page
        assert "<html" not in page


class TestMember:
    def test_their_page_says_it_all_in_one_tab(self, operator):
        ana = goodbye("Ana")
        shown = words(operator.get(reverse("admin:groups_member_engagement", args=[ana.pk])))
        for said in ("Goodbye sent", "Quiet for two weeks", "Answer awaited until", "Next message", "Individual chat"):
            assert said in shown

    def test_a_member_who_did_nothing_yet(self, operator):
        shown = words(operator.get(reverse("admin:groups_member_engagement", args=[MemberFactory().pk])))
        assert "this member has done nothing yet" in shown
        assert "Nothing waits to be sent" in shown

    def test_the_first_page_counts_who_is_about_to_slip_away(self, operator):
        goodbye("Ana")
        cards = {card["title"]: card for card in operator.get("/admin/").context["cards"]}
        assert cards["Members at risk"]["count"] == "1"
        assert "Ana" in words(operator.get(cards["Members at risk"]["link"]))
