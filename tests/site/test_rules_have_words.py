"""Every rule of the database has a sentence for people, and every sentence a rule."""

import pytest
from django.apps import apps
from django.db import connection

import groups.errors  # noqa: F401 - registers its refusals
from missionsite.common.errors import DomainError

pytestmark = pytest.mark.django_db

# Rules nobody meets at a form or the API: values a program sets, or a choice the form offers.
NO_WORDS_NEEDED = {
    "groups_type_known",
    "groups_status_known",
    "memberships_status_known",
    "tasks_state_known",
    "members_member_id_format",
    "tasks_stable_id_format",
    "events_type_format",
    "tasks_claimed_by_fits_state",
}


def column(sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {value for (value,) in cursor.fetchall()}


def our_tables():
    return [model._meta.db_table for model in apps.get_app_config("groups").get_models() if model._meta.managed]


def test_every_check_and_unique_rule_has_words():
    rules = column(
        """SELECT conname FROM pg_constraint
           WHERE contype = 'c' AND conrelid = ANY (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) name)
           UNION
           SELECT indexrelid::regclass::text FROM pg_index
           WHERE indisunique AND NOT indisprimary
               AND indrelid = ANY (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) name)
               AND (indexprs IS NOT NULL OR indpred IS NOT NULL)""",
        {"tables": our_tables()},
    )
    assert len(rules) > 15
    assert rules - set(DomainError.by_constraint) == NO_WORDS_NEEDED


def test_every_refusal_that_names_a_rule_names_one_that_exists():
    exist = column("SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind = 'i'")
    sources = " ".join(column("SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"))
    sources += " ".join(column("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"))
    named = set(DomainError.by_constraint)
    assert len(named) > 15
    assert {name for name in named if name not in exist and name not in sources} == set()


def test_every_sentence_is_one_and_every_code_its_own():
    refusals = list(DomainError.by_constraint.values())
    codes = [refusal.code for refusal in refusals]
    assert len(codes) == len(set(codes))
    for refusal in refusals:
        sentence = refusal.__doc__.strip().splitlines()[0]
        assert sentence.endswith("."), refusal
        assert sentence[0].isupper(), refusal


def test_every_security_definer_function_pins_its_path_and_is_closed_to_the_public():
    loose = column(
        """SELECT p.proname FROM pg_proc p
           WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace
             AND (NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%%')
                  OR has_function_privilege('public', p.oid, 'EXECUTE'))"""
    )
    assert loose == set()


def test_every_table_of_people_s_own_holds_row_security():
    open_tables = column(
        """SELECT c.relname FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity
             AND EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = 'missionsite_member'::regrole)"""
    )
    # Counts without people in them.
    assert open_tables == {"mission_counters"}
