"""Reading of texts by the default phrases: requests, replies to the goodbye, and automatic replies."""

import csv
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement.models import ReplyPhrase
from engagement.services.default_phrases import default_phrases
from engagement.services.default_texts import DEFAULT_TEXTS
from engagement.services.intents import INTENTS, Reader, is_auto_submitted
from engagement.services.phrases import MAX_READ_CHARACTERS, plain

# 393 sentences in three languages with their right reading after a goodbye. They were written before the phrases; the
# rows that are held out were read for the first time when the phrases were finished.
SENTENCES = list(csv.DictReader((Path(__file__).parent / "data" / "sentences.csv").open(encoding="utf-8")))


@cache
def default_reader() -> Reader:
    return Reader([ReplyPhrase(**row._asdict()) for row in default_phrases()])


def read(text: str) -> str:
    return default_reader().read(text)


# Real replies to the goodbye. 👍 is ambiguous, so it is an ordinary message.
FROM_LIFE = {
    "opted_out": [
        "stop reminders",
        '"parar lembretes"',
        "STOP",
        "cancelar",
        "leave me be",
        "me tira dessa lista",
        "não quero mais receber mensagens",
        "para",
        "parar lembretes por favor",
        "please stop",
        "remove me",
        "stop",
        "unsubscribe me pls",
        "🛑",
    ],
    "goodbye_response_1": [
        "1️⃣",
        "confuso :(",
        "1)",
        "1 - Fiquei confuso, me ajude a recomeçar",
        "1 - I got lost, help me start again",
    ],
    "goodbye_response_2": [
        "2",
        "2.",
        "\uff12",
        "2 - ocupado",
        "estou ocupado",
        "ocupado demais",
        "2 - Estou ocupado, pergunte daqui a duas semanas",
        "número 2",
        "a 2",
    ],
    "goodbye_response_3": ["três", "3 - Tudo certo, prefiro ficar quieto", "3 - All good, leave me be"],
    "auto_reply": ["Resposta automática: estou de férias até 15/01"],
    "courtesy": ["👍"],
}

# More phrases for each intent.
STOP = [
    "pare",
    "sair",
    "não quero mais",
    "quit",
    "Stop!",
    "STOP.",
    "\u201cStop\u201d",
    "stop stop stop",
    "Stop 🙏",
    "STOPALL",
    "stop all",
    "END",
    "Unsubscribe",
    "UNSUBSCRIBE ME",
    "Cancel",
    "opt out",
    "OPT-OUT",
    "optout",
    "revoke",
    "PARAR",
    "SAIR",
    "Baja",
    "darme de baja",
    "stop messaging me",
    "Please stop sending me messages!",
    "stop texting me",
    "Hi, please unsubscribe me from this list. Thanks",
    "take me off your list",
    "remove me from the list please",
    "no more messages",
    "no more emails please",
    "I don't want any more messages",
    "i dont want these messages anymore",
    "Don\u2019t message me again",
    "don't write to me anymore",
    "leave me alone",
    "I want to unsubscribe",
    "can you stop?",
    "turn off notifications",
    "Pare, por favor",
    "para de me mandar mensagem",
    "Pare de me enviar mensagens",
    "para com isso",
    "chega",
    "Chega de mensagens",
    "quero sair",
    "quero sair da lista",
    "Quero cancelar",
    "cancelar inscrição",
    "quero me descadastrar",
    "Não quero receber mais nada",
    "não quero mais isso",
    "nao quero receber mensagens",
    "não me mande mais mensagens",
    "não me mandem mais nada por favor",
    "me tire dessa lista",
    "me remove da lista",
    "Me tira da lista",
    "tira meu número da lista",
    "me deixa em paz",
    "me deixe em paz!!",
    "oi, quero parar de receber lembretes",
    "Boa noite, parar por favor. Obrigado",
    "obrigada, não quero mais",
    "\uff33\uff34\uff2f\uff30",
    "s\u200btop",
    "páre",
    "🚫",
    "🛑🛑",
    "⛔️",
    "🔕",
    "no quiero más mensajes",
    "ya no quiero recibir mensajes",
    "no me escriban más",
    "dejen de escribirme",
    "cancelar mensajes",
    "stop\n\nOn Mon, 2 Mar 2026 at 12:00, Missionsite <hello@example.org> wrote:\n> Hi Ana\n> 1 - I got lost",
    "Parar\n\nEm seg., 2 de mar. de 2026, Missionsite escreveu:\n> Oi, Ana!",
    "Stop\n\nSent from my iPhone",
    "cancelar\n--\nAna Souza\nCasa Azul",
]
RETURN = [
    "start",
    "START",
    "unstop",
    "start reminders",
    "Start reminders please",
    "resume messages",
    "opt in",
    "começar lembretes",
    "iniciar lembretes",
    "voltar a receber mensagens",
    "quero receber lembretes de novo",
]
GOODBYE_REPLIES = {
    "goodbye_response_1": [
        "one",
        "um",
        "1 por favor",
        "opção 1",
        "option 1",
        "#1",
        "nº 1",
        "quero a 1",
        "I'm confused",
        "estou confusa",
        "to meio perdido",
        "confused!!",
        "I got lost",
        "Fiquei confusa, me ajude a recomeçar",
        "me ajuda a recomeçar",
        "help me start again",
        "\u201c1\u201d",
        "1 👍",
        "resposta 1",
        "1 - confuso",
        "1: confused",
        "minha resposta é 1",
    ],
    "goodbye_response_2": [
        "two",
        "dois",
        "duas",
        "dos",
        "opção dois",
        "a dois",
        "the 2",
        "2️⃣ obrigado",
        "oi, 2",
        "I am busy",
        "I\u2019m too busy right now",
        "muito ocupada",
        "tô ocupado agora",
        "sem tempo",
        "busy 😅",
        "ask me in two weeks",
        "pergunte daqui a duas semanas",
        "Estou ocupado, pergunte daqui a duas semanas",
        "2 - I am busy, ask me in two weeks",
        "I choose 2",
        "escolho a opção 2",
        "número dois",
        "2, please",
        "estoy ocupada",
    ],
    "goodbye_response_3": [
        "three",
        "tres",
        "a 3",
        "opcion 3",
        "3 obrigada!",
        "All good",
        "All good, leave me be",
        "it's all good",
        "tudo certo",
        "Tudo certo, prefiro ficar quieta",
        "tá tudo certo",
        "prefiro ficar quieto",
        "3 - all good",
    ],
}
AUTOMATIC = [
    "Automatic reply: Your week in the community",
    "Auto-Reply: I'm out of office.",
    "AutoReply",
    "Re: Automatic reply: hello",
    "Out of office",
    "Out of the Office: back on Monday",
    "OOO until 5 January",
    "This is an automated message.",
    "Thanks! This is an automatic reply, I read mail on Mondays.",
    "I am on annual leave until 15 January.",
    "Hello, I am currently out of the office until Monday and will reply then.",
    "I'm on vacation through Friday",
    "I am away this week and will have limited access to email.",
    "Thank you for your email. We will get back to you soon.",
    "Thank you for contacting Casa Azul! We will respond as soon as possible.",
    "Please do not reply to this email.",
    "Resposta automática",
    "RESPOSTA AUTOMÁTICA: ausente",
    "Mensagem automática: não estou disponível",
    "Olá! Esta é uma mensagem automática.",
    "Estou de férias até 15/01",
    "Estarei ausente do dia 3 até o dia 10",
    "Olá, estou de licença médica até segunda-feira.",
    "Fora do escritório",
    "Estou fora do escritório de 3 a 10 de março",
    "Agradecemos seu contato! Retornaremos assim que possível.",
    "Favor não responder este e-mail.",
    "Respuesta automática: vacaciones",
    "Estoy de vacaciones hasta el 15 de enero",
    "Fuera de la oficina",
    "Gracias por tu mensaje, te responderemos lo antes posible.",
]

# Ordinary messages. Many contain a keyword, but none is a request, a reply or automatic.
ORDINARY = [
    "I can't stop watching these videos",
    "Stop by my desk when you have time",
    "We should stop the server before the update",
    "How do I stop the worker?",
    "Don't stop believing!",
    "the bus stop is next to the library",
    "non stop work this week",
    "The pipeline stops at step 2",
    "I had to cancel the meeting on Friday",
    "Can I cancel my booking for the workshop?",
    "end of the sprint is tomorrow",
    "In the end it worked",
    "weekend plans?",
    "I quit my old job, so I have time now!",
    "Please remove the duplicate task from the board",
    "Who can remove me as the reviewer of this mission?",
    "I unsubscribed from the other newsletter, this one I like",
    "I will opt out of the photo but I come to the event",
    "Leave me a comment on the pull request",
    "leave it to me",
    "no more bugs!",
    "Don't forget to send me the link",
    "I don't want to miss the next mission",
    "I want more messages like this one",
    "2 of us can help",
    "I finished 3 tasks",
    "1 question: where do I find the docs?",
    "version 2 is out",
    "at 3 pm",
    "I am busy today but tomorrow I can help",
    "Not confused any more, thanks!",
    "all good things come to an end",
    "Is it all good now with the build?",
    "How do I set an automatic reply in my mail?",
    "The automatic response of the API is wrong",
    "I'm out of office supplies",
    "I was away last week, what did I miss?",
    "Thanks for your message! I will do it today.",
    "vou sair mais cedo hoje",
    "Não consigo parar de rir",
    "não quero perder a próxima missão",
    "para quem eu mando o arquivo?",
    "Para mim está ótimo",
    "vou para a reunião",
    "isso é para amanhã?",
    "para de graça, ficou lindo haha",
    "Quero sair com vocês no sábado",
    "Como faço para sair da missão Casa Azul?",
    "preciso cancelar minha presença no evento",
    "Cancelaram a aula de hoje",
    "Chega amanhã o material",
    "não quero mais café, obrigado",
    "Não quero mais essa tarefa, passa para o Rui",
    "me tira uma dúvida?",
    "me tira dessa missão e me põe na outra",
    "pare na segunda esquina",
    "Parem de dizer que o código é feio haha",
    "a lista de espera está cheia?",
    "remove o card duplicado por favor",
    "estou de férias, posso ajudar bastante!",
    "não estou confuso, só curioso",
    "estou ocupado com a missão 2, termino amanhã",
    "tudo bem?",
    "Tudo bem com vocês?",
    "dois amigos querem entrar",
    "três tarefas prontas",
    "faltam 2 dias",
    "boa tarde, pessoal",
    "oi, tô por aqui",
    "Obrigado pela mensagem, faço hoje",
    "¿Para cuándo es la tarea?",
    "No quiero perder la clase",
    "La música está muy baja",
    "No puedo parar ahora, estoy en una reunión",
    "Salgo a las tres",
    "Todo bien, ¿y tú?",
    "El paro fue ayer",
    "😂 stop it you two are killing me",
    "Hi Ana,\n> stop\nwhat do you mean by this?",
]

# No content to read: asked again after a goodbye.
COURTESIES = ["valeu!", "obrigado", "ok", "👍👍", "🦉", "", "...", "?", "Muito obrigada!!", "ok, thanks", "gracias 🙏"]
UNCLEAR = ["4", "1 2", "1 or 2", "2 ou 3", "1 o 3", "2?", "sim", "maybe", "no sé", "1, não, 2", "busy, all good"]


def pairs(texts_by_intent: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(intent, text) for intent, texts in texts_by_intent.items() for text in texts]


@pytest.mark.parametrize(("intent", "text"), pairs(FROM_LIFE))
def test_classifies_real_texts(intent, text):
    assert read(text) == intent


@pytest.mark.seed("002 what members write, in two languages; a replay does nothing")
@pytest.mark.parametrize("text", STOP)
def test_classifies_request_to_stop(text):
    assert read(text) == "opted_out"


@pytest.mark.parametrize("text", RETURN)
def test_classifies_request_to_start(text):
    assert read(text) == "opted_in"


@pytest.mark.parametrize(("intent", "text"), pairs(GOODBYE_REPLIES))
def test_classifies_goodbye_reply(intent, text):
    assert read(text) == intent


@pytest.mark.parametrize("text", AUTOMATIC)
def test_classifies_automatic_reply(text):
    assert read(text) == "auto_reply"


@pytest.mark.seed("002 what members write, in two languages; a replay does nothing")
@pytest.mark.parametrize("text", ORDINARY)
def test_classifies_ordinary_sentence_as_message(text):
    assert read(text) == "user_message"


@pytest.mark.parametrize(("intent", "text"), pairs({"courtesy": COURTESIES, "unclear": UNCLEAR}))
def test_classifies_text_without_clear_answer(intent, text):
    assert read(text) == intent


@pytest.mark.parametrize("half", ["open", "held out"])
@pytest.mark.parametrize("language", ["en", "pt", "es"])
def test_sentences_are_read_right(half, language):
    """At most 1 % false and 1 % missed requests to stop, and at most 5 % of all readings wrong."""
    rows = [row for row in SENTENCES if (row["half"], row["language"]) == (half, language)]
    found = Counter()
    for row in rows:
        # Before a member is asked again, it makes no difference whether a text is unclear or a courtesy.
        reading = {"courtesy": "unclear"}.get(read(row["text"]), read(row["text"]))
        found["wrong"] += reading != row["right"]
        found["false"] += reading == "opted_out" != row["right"]
        found["missed"] += row["right"] == "opted_out" != reading
    assert len(rows) >= 65
    assert (found["false"], found["missed"]) == (0, 0)
    assert found["wrong"] <= len(rows) * 0.05


def test_goodbye_options_match_their_number():
    """Each option of the default template, copied with and without its number."""
    options = [
        (number, option)
        for key, _locale, _subject, body in DEFAULT_TEXTS
        if key == "goodbye"
        for number, dash, option in (line.partition(" - ") for line in body.splitlines())
        if dash
    ]
    assert len(options) == 6
    for number, option in options:
        for text in (f"{number} - {option}", option, f"{number}. {option.upper()}!", f"{number}) {option}"):
            assert read(text) == f"goodbye_response_{number}", text


@pytest.mark.parametrize(
    ("value", "automatic"),
    [
        (None, False),
        (False, False),
        (True, True),
        ("no", False),
        (" No ", False),
        ("", False),
        ("auto-replied", True),
        ("auto-generated", True),
        ("auto-replied; owner-email=a@example.org", True),
        ("No; comment", False),
        ("vacation", True),
    ],
)
def test_auto_submitted_header_is_recognised(value, automatic):
    assert is_auto_submitted(value) is automatic


@given(st.text(max_size=MAX_READ_CHARACTERS * 2))
@settings(max_examples=300, deadline=None)
def test_any_text_has_one_intent(text):
    assert read(text) in INTENTS
    assert plain(plain(text)) == plain(text) or len(text) > MAX_READ_CHARACTERS


LONG = [
    "stop ",
    "please ",
    "por favor ",
    "no more ",
    "thanks for your message ",
    "> a\n",
    "1 ",
    "on ",
    "estou de ferias ",
]


@pytest.mark.parametrize("word", LONG)
def test_long_repeated_text_is_classified_quickly(word):
    begun = time.process_time()
    read(word * 20_000)
    assert time.process_time() - begun < 1
