"""Default text of every message type in both languages; staff can change them."""

from django.apps import apps as installed
from django.apps.registry import Apps

from engagement.models import MessageTemplate

DEFAULT_TEXTS = [
    (
        "welcome",
        "en",
        "Welcome, {{ name }}!",
        """Hi {{ name }}, you are in. Have a look around, say hello, and pick a first mission whenever you like.""",
    ),
    (
        "welcome",
        "pt-BR",
        "Boas-vindas, {{ name }}!",
        """Oi, {{ name }}! Seu cadastro foi aprovado. Dê uma olhada, diga olá e escolha uma primeira missão quando quiser.""",
    ),
    (
        "tier_unlock",
        "en",
        "You finished tier {{ tier }}",
        """Nice work, {{ name }}: tier {{ tier }} is done. New things are open to you now; take them at your own pace.""",
    ),
    (
        "tier_unlock",
        "pt-BR",
        "Você concluiu o nível {{ tier }}",
        """Muito bem, {{ name }}: o nível {{ tier }} está concluído. Há coisas novas abertas para você, no seu ritmo.""",
    ),
    (
        "goodbye",
        "en",
        "It has been quiet, {{ name }}",
        """Hi {{ name }}, we have not heard from you for a while, and that is fine. Answer with a number if you like:

1 - I got lost, help me start again
2 - I am busy, ask me in two weeks
3 - All good, leave me be

No answer is an answer too: we will not write again until you do.""",
    ),
    (
        "goodbye",
        "pt-BR",
        "Faz um tempo, {{ name }}",
        """Oi, {{ name }}! Faz um tempo que não temos notícias suas, e tudo bem. Se quiser, responda com um número:

1 - Fiquei confuso, me ajude a recomeçar
2 - Estou ocupado, pergunte daqui a duas semanas
3 - Tudo certo, prefiro ficar quieto

Não responder também é uma resposta: só escreveremos de novo quando você escrever.""",
    ),
    (
        "weekly_review",
        "en",
        "Your week in the community",
        """Hi {{ name }}, thank you for taking part in week {{ week }}. See what is next whenever you have a moment.""",
    ),
    (
        "weekly_review",
        "pt-BR",
        "Sua semana na comunidade",
        """Oi, {{ name }}! Obrigado por participar na semana {{ week }}. Veja o que vem a seguir quando tiver um momento.""",
    ),
    (
        "reminder",
        "en",
        "A short reminder",
        """Hi {{ name }}, you asked us to get back to you. We are here whenever you want to go on.""",
    ),
    (
        "reminder",
        "pt-BR",
        "Um breve lembrete",
        """Oi, {{ name }}! Você pediu que a gente voltasse a falar. Estamos aqui quando você quiser continuar.""",
    ),
    (
        "help_restart",
        "en",
        "Let us start again together",
        """Thanks for telling us, {{ name }}. We start again with three small steps: introduce yourself, link your GitHub account, and join one mission. Ask anything here.""",
    ),
    (
        "help_restart",
        "pt-BR",
        "Vamos recomeçar juntos",
        """Obrigado por contar, {{ name }}. Vamos recomeçar com três passos: apresente-se, conecte sua conta do GitHub e entre em uma missão. Pergunte o que quiser por aqui.""",
    ),
    (
        "opt_out_confirmation",
        "en",
        "You will get no more messages",
        """Hi {{ name }}, we have turned off messages to you. To get them again, answer "start reminders".""",
    ),
    (
        "opt_out_confirmation",
        "pt-BR",
        "Você não receberá mais mensagens",
        """Oi, {{ name }}! Desativamos as mensagens para você. Para voltar a receber, responda "iniciar lembretes".""",
    ),
    (
        "clarification",
        "en",
        "Which one do you mean?",
        """Hi {{ name }}, sorry, we did not understand your answer. Please send one number:

1 - I got lost, help me start again
2 - I am busy, ask me in two weeks
3 - All good, leave me be

Or write "stop" and we send nothing more.""",
    ),
    (
        "clarification",
        "pt-BR",
        "Qual das opções?",
        """Oi, {{ name }}! Desculpe, não entendemos sua resposta. Mande só um número:

1 - Fiquei confuso, me ajude a recomeçar
2 - Estou ocupado, pergunte daqui a duas semanas
3 - Tudo certo, prefiro ficar quieto

Ou escreva "parar" e não mandamos mais nada.""",
    ),
    (
        "sequence_first_mission",
        "en",
        "A first mission, {{ name }}?",
        """Hi {{ name }}, you have not joined a mission yet. Most people begin with a small one: pick any that you like, look around, and leave again if it is not for you.""",
    ),
    (
        "sequence_first_mission",
        "pt-BR",
        "Uma primeira missão, {{ name }}?",
        """Oi, {{ name }}! Você ainda não entrou em uma missão. A maioria começa com uma pequena: escolha a que quiser, dê uma olhada e saia se não for para você.""",
    ),
    (
        "sequence_first_steps",
        "en",
        "Need a hand, {{ name }}?",
        """Hi {{ name }}, a few first steps are still open. If something is unclear, answer this message: a person reads it.""",
    ),
    (
        "sequence_first_steps",
        "pt-BR",
        "Precisa de ajuda, {{ name }}?",
        """Oi, {{ name }}! Alguns primeiros passos ainda estão em aberto. Se algo não estiver claro, responda a esta mensagem: uma pessoa lê.""",
    ),
    ("personal", "en", "{{ subject }}", "{{ text }}"),
    ("personal", "pt-BR", "{{ subject }}", "{{ text }}"),
    ("test", "en", "[Test] {{ subject }}", "{{ text }}"),
    ("test", "pt-BR", "[Teste] {{ subject }}", "{{ text }}"),
]


def create_default_texts(*, apps: Apps = installed, **_signal: object) -> None:
    """Create missing templates after `migrate`. apps: the app registry of the migrated state.

    After a reverse migration only those of the types which that version has: its rules reject the others.
    """
    try:
        field = apps.get_model("engagement", "EngagementMessage")._meta.get_field("message_type")
    except LookupError:
        # A reverse migration has dropped the table.
        return
    types = {value for value, _label in field.flatchoices}
    MessageTemplate.objects.bulk_create(
        [
            MessageTemplate(key=key, locale=locale, subject=subject, body=body)
            for key, locale, subject, body in DEFAULT_TEXTS
            # The texts of sequences have keys of their own.
            if key in types or (key.startswith("sequence_") and "sequence" in types)
        ],
        ignore_conflicts=True,
    )
