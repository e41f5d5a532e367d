"""Every constraint has a message, and every error names an existing constraint."""

import pytest
from django.apps import apps
from django.db import connection

import engagement.errors  # noqa: F401
import fallback.errors  # noqa: F401
import groups.errors  # noqa: F401
import missiondeck.errors  # noqa: F401 - all register their errors
from missionsite import rule_list
from missionsite.common.errors import DomainError

pytestmark = pytest.mark.django_db

APPS = ("common", "groups", "fallback", "engagement", "missiondeck")
# Constraints that need no message, because no user can violate them.
WITHOUT_MESSAGE = {
    # Only code and triggers set the values.
    "engagement_announcements_per_hour_check",
    "engagement_sequence_members_end",
    "engagement_sequence_members_unique",
    "engagement_sequence_steps_delay_days_check",
    "user_engagement_states_active_days_check",
    "user_engagement_states_unanswered_goodbyes_check",
    "api_idempotency_keys_fingerprint_format",
    "api_idempotency_keys_of_success",
    "api_tokens_digest_format",
    "api_tokens_digest_unique",
    "api_tokens_revoked_after_creation",
    "bounced_addresses_soft_bounces_check",
    "audit_blocks_chain_unique",
    "audit_blocks_entries_positive",
    "audit_entries_action_format",
    "bulk_edits_ended_fits",
    "bulk_edits_numbers_not_negative",
    "bulk_edit_rows_unique",
    "retention_runs_numbers_not_negative",
    "community_invitation_uses_member_once",
    "community_invitations_accepted_fits",
    "community_invitations_code_format",
    "community_invitations_not_by_self",
    "community_members_erased_is_removed",
    "community_members_member_id_format",
    "community_members_not_merged_into_self",
    "community_members_reputation_not_negative",
    "community_returns_decided_fits",
    "community_returns_decided_is_empty",
    "community_returns_has_target",
    "community_returns_no_link_for_manager",
    "community_returns_open_account_once",
    "community_returns_open_entry_once",
    "dod_items_position_check",
    "engagement_announcements_recipients_check",
    "engagement_inbound_messages_unique",
    "unassigned_messages_unique",
    "member_addresses_unique",
    "engagement_message_queue_retry_count_check",
    "engagement_message_queue_retry_count_not_negative",
    "engagement_transports_failures_check",
    "highlight_member_date_idx",
    "invitation_code_idx",
    *(
        f"{table}_{rule}"
        for table, rules in (
            ("notes", ("one_subject",)),
            ("taggings", ("one_subject", "member_unique", "entry_unique", "group_unique")),
            ("custom_values", ("one_subject", "member_unique", "entry_unique", "group_unique")),
        )
        for rule in rules
    ),
    "import_mappings_shape_format",
    "member_merges_two_accounts",
    "member_merges_undone_fits",
    "members_not_merged_into_self",
    "people_jobs_ended_fits",
    "people_jobs_numbers_not_negative",
    "possible_duplicates_in_order",
    "possible_duplicates_pair_once",
    "possible_duplicates_score_range",
    "mission_fallback_allowances_not_overdrawn",
    "mission_fallback_items_mission_once",
    "mission_fallback_runs_counts_add_up",
    "worker_processes_concurrency_positive",
    "worker_processes_worker_unique",
    # create_token() checks the scopes first.
    "api_tokens_scopes_format",
    # Forms check deck_missions_budget_positive first, and the API has the same minimum.
    "deck_missions_budget_check",
    # Forms and the API have the same minimum, and parts and tests are counted.
    "deck_citizens_position_check",
    "deck_client_codes_attempts_check",
    "deck_costs_amount_cents_check",
    "deck_costs_minutes_check",
    "deck_deliveries_attempts_check",
    "deck_feeds_alarm_hours_check",
    "deck_gate_baselines_tests_check",
    "deck_gate_rules_max_age_days_check",
    "deck_gate_rules_max_failures_check",
    "deck_gate_rules_min_tests_check",
    "test_runs_attempt_check",
    "test_runs_parts_check",
    "test_runs_shards_check",
}


def column(sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {value for (value,) in cursor.fetchall()}


def our_models():
    """Return the models whose rows users write: no copies for the history, and no tables that nothing writes yet."""
    return [
        model
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if model._meta.managed
        and not model._meta.db_table.endswith("_history")
        and model.__module__ != "fallback.models.schema_only"
    ]


def said_by_forms():
    """Return constraints with a message of their own, which forms show."""
    rules = [rule for model in our_models() for rule in model._meta.constraints]
    return {rule.name for rule in rules if rule.violation_error_message != rule.default_violation_error_message}


@pytest.mark.seed(
    "004 every rule of the fallback has a message",
    "site every rule of the database has a message",
)
def test_every_constraint_has_message():
    rules = column(
        """SELECT conname FROM pg_constraint
           WHERE contype = 'c' AND conrelid = ANY (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) name)
           UNION
           SELECT indexrelid::regclass::text FROM pg_index
           WHERE indisunique AND NOT indisprimary
               AND indrelid = ANY (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) name)
               AND (indexprs IS NOT NULL OR indpred IS NOT NULL)""",
        {"tables": [model._meta.db_table for model in our_models()]},
    )
    rules |= {rule.name for model in our_models() for rule in model._meta.constraints}
    assert len(rules) > 60
    silent = rules - set(DomainError.by_constraint) - said_by_forms()
    # A constraint that ends in _known limits a column to the choices of a form.
    assert {name for name in silent if not name.endswith("_known")} == WITHOUT_MESSAGE


def test_every_error_class_has_message():
    classes = {error for label in rule_list.APPS for error in rule_list.errors_of(label)}
    assert len(classes) > 80
    for error in classes:
        assert error.message is not DomainError.message, error
        assert str(error.message).endswith("."), error


def test_field_of_every_constraint_is_a_field_of_its_model():
    declared = [
        (model, rule.name, rule.field)
        for model in our_models()
        for rule in model._meta.constraints
        if getattr(rule, "field", None)
    ]
    assert len(declared) > 50
    assert [rule for model, *rule in declared if rule[1] not in {field.name for field in model._meta.fields}] == []


@pytest.mark.seed("site every rule of the database has a message")
def test_every_error_names_existing_constraint():
    exist = column("SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind = 'i'")
    sources = " ".join(column("SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"))
    sources += " ".join(column("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"))
    named = set(DomainError.by_constraint)
    assert len(named) > 15
    assert {name for name in named if name not in exist and name not in sources} == set()


def test_every_error_has_one_sentence_and_own_code():
    rejections = list(DomainError.by_constraint.values())
    for one in rejections:
        # The same error for a constraint of another table is a subclass, with the same message.
        twins = [other for other in rejections if other.code == one.code and not issubclass(one, other)]
        assert all(issubclass(twin, one) and twin.message == one.message for twin in twins), one
    for rejection in rejections:
        assert rejection.message is not DomainError.message, rejection
        sentence = str(rejection.message)
        assert sentence.endswith("."), rejection
        assert sentence[0].isupper(), rejection


def test_security_definer_functions_are_restricted():
    loose = column(
        """SELECT p.proname FROM pg_proc p
           WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace
             AND (NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%%')
                  OR has_function_privilege('public', p.oid, 'EXECUTE'))"""
    )
    assert loose == set()


def test_members_tables_have_row_level_security():
    open_tables = column(
        """SELECT c.relname FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity
             AND EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = 'missionsite_member'::regrole)"""
    )
    # Counts, without personal data.
    assert open_tables == {"mission_counters"}
