"""The OpenAPI document, and the page that shows it."""

import json
import re
from html.parser import HTMLParser

from django.contrib.staticfiles import finders

PROBLEM = "application/problem+json"


class Addresses(HTMLParser):
    """The resources that a page loads, and whether it has an inline script."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded, self.inline = [], []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        named = dict(attrs)
        self.loaded += [named[name] for name in ("src", "href", "action") if name in named]
        self.inline += [name for name in named if name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in named and named.get("type") != "application/json"):
            self.inline.append(tag)


class TestDescription:
    def test_docs_page_has_no_external_or_inline_script(self, client):
        answer = client.get("/api/docs")
        assert answer.status_code == 200
        page = Addresses()
        page.feed(answer.content.decode())
        assert page.inline == []
        assert len(page.loaded) >= 5
        assert [address for address in page.loaded if not re.match(r"/(?!/)", address)] == []
        assert "http" not in answer.content.decode()

    def test_docs_styles_load_nothing_external(self):
        for name in ("ninja/swagger-ui.css", "common/api-docs.css"):
            with open(finders.find(name)) as file:
                assert not re.findall(r"url\(\s*['\"]?(?:https?:)?//", file.read())

    def test_docs_page_disables_validator(self, client):
        settings = re.search(r'id="swagger-settings">(.*?)</script>', client.get("/api/docs").content.decode(), re.S)
        assert json.loads(settings[1])["validatorUrl"] is None

    def test_schema_describes_operations_and_errors(self, client):
        schema = client.get("/api/openapi.json").json()
        operations = [each for methods in schema["paths"].values() for each in methods.values()]
        assert {each["operationId"] for each in operations} == {
            "get_me",
            "list_missions",
            "get_mission",
            "list_mission_members",
            "join_mission",
            "leave_mission",
            "ask_to_join",
            "invite_member",
            "enter_waiting_list",
            "list_join_requests",
            "accept_join_request",
            "decline_join_request",
            "withdraw_join_request",
            "search_directory",
            "get_directory_member",
            "register",
            "list_invitations",
            "invite",
            "cancel_invitation",
            "renew_invitation_code",
            "update_invitation",
            "record_participation",
            "list_deck_missions",
            "get_deck_mission",
            "add_deck_mission",
            "change_deck_mission",
            "change_deck_mission_status",
            "get_deck_budget",
            "list_deck_costs",
            "add_deck_cost",
            "remove_deck_cost",
            "get_deck_dod",
            "add_deck_dod_item",
            "change_deck_dod_item",
            "remove_deck_dod_item",
            "apply_dod_template",
            "list_dod_templates",
            "list_dod_comments",
            "add_dod_comment",
            "list_deck_chats",
            "list_citizens",
            "list_deck_messages",
            "add_deck_message",
            "import_deck_run",
            "start_deck_run",
            "finish_deck_run",
            "give_up_deck_run",
            "list_deck_runs",
            "get_latest_deck_run",
            "get_deck_run",
            "get_deck_run_logs",
            "list_deck_evidence",
            "add_deck_evidence",
            "add_deck_evidence_file",
            "get_deck_evidence_file",
            "remove_deck_evidence",
            "sign_deck_evidence",
            "get_deck_run_changes",
            "get_deck_run_errors",
            "get_deck_test",
            "set_deck_test_owner",
            "quarantine_deck_test",
            "lift_deck_test_quarantine",
            "get_deck_gate",
            "set_deck_gate",
            "confirm_deck_baseline",
            "confirm_deck_vanished_tests",
            "list_projects",
            "get_project",
            "list_project_missions",
            "add_project_mission",
            "get_project_mission",
            "change_project_mission",
            "move_project_mission",
            "assign_project_mission",
            "get_mission_assignments",
            "list_mission_comments",
            "add_mission_comment",
            "remove_mission_comment",
            "list_project_mission_events",
            "list_mission_documents",
            "get_mission_document",
            "save_mission_document",
            "list_notifications",
            "read_notifications",
            "snooze_one_notification",
            "list_absences",
            "enter_absence",
            "end_one_absence",
            "list_stars",
            "star",
            "list_library",
            "publish_library_template",
            "withdraw_library_template",
            "copy_library_template",
            "list_origin_changes",
            "take_over_origin_changes",
            "list_workstations",
            "register_workstation",
            "get_workstation",
            "heartbeat_workstation",
            "set_workstation_projects",
            "set_workstation_clones",
            "add_workstation_worktrees",
            "end_workstation",
            "claim_next_mission",
            "start_agent_session",
            "get_agent_session",
            "heartbeat_agent_session",
            "append_agent_log",
            "save_agent_document",
            "open_agent_pull_request",
            "end_agent_session",
            "get_fallback_plan",
            "list_fallback_runs",
            "start_fallback_run",
            "get_fallback_run",
            "get_fallback_report",
            "list_fallback_items",
            "get_fallback_item",
            "accept_fallback_item",
            "discard_fallback_item",
            "snooze_fallback_item",
            "undo_fallback_item",
            "assign_fallback_item",
            "list_item_comments",
            "add_item_comment",
            "remove_item_comment",
            "list_fallback_templates",
            "launch_fallback_template",
            "get_my_engagement",
            "list_my_transitions",
            "get_my_profile",
            "change_my_profile",
            "move_member",
            "list_messages",
            "retry_message",
            "cancel_message",
            "receive_message",
            "receive_receipt",
        }
        signed = {"receive_message", "receive_receipt"}
        for each in operations:
            assert each["summary"]
            if each["operationId"] in signed:
                assert "sign their requests" in each["description"]
                assert each["security"] == [{"Signature": []}]
            else:
                assert f"`{each['x-scope']}`" in each["description"]
                assert each["security"] == [{"TokenAuth": []}]
            rejection = each["responses"]["default"]["content"][PROBLEM]["schema"]["$ref"]
            assert rejection.rpartition("/")[2] in schema["components"]["schemas"]

    def test_schema_describes_authentication(self, client):
        parts = client.get("/api/openapi.json").json()["components"]["securitySchemes"]
        assert parts.keys() == {"TokenAuth", "Signature"}
        assert (parts["Signature"]["in"], parts["Signature"]["name"]) == ("header", "Missionsite-Signature")

    def test_schema_has_example_for_each_response_field(self, client):
        parts = client.get("/api/openapi.json").json()["components"]["schemas"]
        bare = [
            f"{name}.{field}"
            for name, part in parts.items()
            for field, details in part["properties"].items()
            if "examples" not in details and field not in ("items", "errors")
        ]
        assert bare == []
