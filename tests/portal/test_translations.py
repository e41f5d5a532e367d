"""The translations of the members' pages are complete, and django.mo matches django.po."""

import importlib.util

import pytest
from django.conf import settings
from django.utils.translation import gettext, override

SCRIPT = settings.BASE_DIR / "bin" / "translations.py"


@pytest.fixture
def tool(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("translations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tool, tmp_path, monkeypatch):
    """Copies of the translation files that a test can change."""
    for path in (tool.PO, tool.PO.with_suffix(".mo")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(tool, "PO", tmp_path / tool.PO.name)
    return tool


def test_translations_are_complete_and_compiled(tool):
    assert tool.problems(tool.books()[0]) == []
    assert len([message for message in tool.marked() if message.id]) > 100


def test_collect_changes_nothing(copy):
    compiled = copy.PO.with_suffix(".mo")
    before = copy.PO.read_bytes(), compiled.read_bytes()
    copy.collect(copy.books()[0])
    assert (copy.PO.read_bytes(), compiled.read_bytes()) == before


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('msgstr "Entrar"', 'msgstr ""'), "not translated: 'Log in'"),
        (('msgid "Log in"', 'msgid "Log on"'), "not collected: 'Log in'"),
        (('msgid "Log in"', 'msgid "Log on"'), "translated but not used: 'Log on'"),
        (('msgstr "Entrar"', 'msgstr "Acessar"'), "django.mo is not compiled from django.po"),
        (('msgid "Log in"', '#, fuzzy\nmsgid "Log in"'), "fuzzy: 'Log in'"),
        (
            ('msgstr "Seu fuso horário agora é {zone}."', 'msgstr "Seu fuso horário agora é {fuso}."'),
            "other placeholders or tags than in 'Your time zone is now {zone}.': 'Seu fuso horário agora é {fuso}.'",
        ),
    ],
)
def test_check_reports_problem(copy, change, problem):
    text = copy.PO.read_text(encoding="utf-8")
    assert change[0] in text
    copy.PO.write_text(text.replace(*change), encoding="utf-8")
    assert problem in copy.problems(copy.books()[0])


def test_replaced_english_texts_are_texts_of_django(tool):
    replaced = [message for message in tool.english() if message.id]
    with override("pt-br"):
        assert [message.id for message in replaced if gettext(message.id) == message.id] == []
    with override("en"):
        assert [gettext(message.id) for message in replaced] == [message.string for message in replaced]
