"""What a person wrote in a reply by e-mail, with the quotes and signatures of the common programs."""

import pytest

from engagement.services.mail_parts import text_of_html
from engagement.services.quotes import unquoted

OURS = "Hi Ana,\n\nWe have not heard from you.\n1 - I am lost\n2 - I am busy\n3 - All good\n\nStop messages: https://x"
QUOTE = "\n".join(f"> {line}" for line in OURS.split("\n"))

# The header of the quote, by program and language.
HEADERS = {
    "gmail en": "On Tue, Dec 1, 2026 at 9:00 AM Community <hello@example.org> wrote:",
    "gmail pt-br": "Em ter., 1 de dez. de 2026 às 09:00, Comunidade <hello@example.org>\nescreveu:",
    "gmail pt": "Comunidade <hello@example.org> escreveu no dia terça, 1/12/2026 à(s) 09:00:",
    "gmail pt 2": "Comunidade <hello@example.org> escreveu (terça, 1/12/2026 à(s) 09:00):",
    "gmail es": "El mar, 1 dic 2026 a las 9:00, Comunidad (<hello@example.org>) escribió:",
    "apple en": "On 1 Dec 2026, at 09:00, Community <hello@example.org> wrote:",
    "apple pt-br": "Em 1 de dez. de 2026, à(s) 09:00, Comunidade <hello@example.org> escreveu:",
    "apple pt": "No dia 01/12/2026, às 09:00, Comunidade <hello@example.org> escreveu:",
    "apple es": "El 1 dic 2026, a las 9:00, Comunidad <hello@example.org> escribió:",
    "thunderbird": "On 01/12/2026 09:00, Community wrote:",
    "thunderbird pt-br": "Em 01/12/2026 09:00, Comunidade escreveu:",
    "thunderbird es": "El 1/12/26 a las 9:00, Comunidad escribió:",
    "yahoo pt": "Em terça-feira, 1 de dezembro de 2026 09:00:00 BRT, Comunidade\n<hello@example.org> escreveu:",
}
OUTLOOK = {
    "en": ("From", "Sent", "To", "Subject"),
    "pt-br": ("De", "Enviado", "Para", "Assunto"),
    "pt": ("De", "Data", "Para", "Assunto"),
    "es": ("De", "Enviado el", "Para", "Asunto"),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_reply_is_found_around_quote(header):
    marked = f"{header}\n\n{QUOTE}"
    assert unquoted(f"2\n\n{marked}") == "2"
    assert unquoted(f"{marked}\n\nvaleu, 2") == "valeu, 2"
    # Without marks, as programs send it that convert HTML.
    assert unquoted(f"parar\r\n\r\n{header}\r\n\r\n{OURS}") == "parar"
    assert unquoted(f"{header}\n> 1 - I am lost\nnot me\n> 2 - I am busy\nthis one") == "not me\nthis one"


@pytest.mark.parametrize("names", OUTLOOK.values(), ids=OUTLOOK)
@pytest.mark.parametrize("line", ["", "________________________________\n", "-----Mensagem original-----\n"])
@pytest.mark.parametrize("bold", ["", "*"])
def test_reply_is_found_above_outlook_header(names, line, bold):
    values = ("Community <hello@example.org>", "terça-feira, 1 de dezembro de 2026 09:00", "Ana", "Hi")
    head = "\n".join(f"{bold}{name}:{bold} {value}" for name, value in zip(names, values, strict=True))
    assert unquoted(f"Quero parar\n\n{line}{head}\n\n{OURS}") == "Quero parar"


@pytest.mark.parametrize(
    "below",
    [
        "-- \nAna Souza\nR. das Flores 1",
        "Ana Souza\nGerente\n+55 11 99999-0000",
        "Ana",
        "Enviado do meu iPhone",
        "Enviado desde mi iPhone",
        "Sent from my Samsung Galaxy smartphone.",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Obter o Outlook para Android",
        "ana@example.org\nhttps://example.org\n(11) 99999-0000",
        "Esta mensagem pode conter informação confidencial e destina-se apenas ao destinatário.\n"
        "Se a recebeu por engano, apague-a e avise o remetente.",
        "This e-mail is confidential and intended solely for the use of the individual to whom it is addressed.",
    ],
)
def test_signature_and_disclaimer_are_removed(below):
    text = f"stop\n\n{below}"
    assert unquoted(text, name="Ana Souza") == "stop"
    assert unquoted(f"{text}\n\n{HEADERS['gmail en']}\n{QUOTE}", name="Ana Souza") == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "On Monday I was ill, then I wrote: hello",
        "A: sim\nB: não",
        "De manhã: eu vou\nPara mim: dois",
        "Em casa tudo bem!\nAna me escreveu ontem.",
        "11 99999-0000 é meu número novo, e o resto está bem",
        "5 > 3\nand that is it",
        "Ana",
    ],
)
def test_ordinary_text_is_unchanged(text):
    assert unquoted(text, name="Ana Souza") == text


def test_quote_with_blank_before_mark_is_removed():
    """crisp-oss/email-reply-parser, issue 32."""
    text = "Thanks,\n\n----------- Original Message -----------\nFrom: S\n\n > Tuesday\n > \n > Friday"
    assert unquoted(text) == "Thanks,"
    assert unquoted("yes\n >\n > Tuesday: 3\n > \n > Friday") == "yes"


def test_own_quote_above_header_ends_nothing():
    """github/email_reply_parser, issue 3."""
    text = f"Hi! I end with a quote:\n\n> this is a quote!\n\n{HEADERS['apple en']}\n\n{QUOTE}\nmore"
    assert unquoted(text) == "Hi! I end with a quote:\n\n\n\nmore"


HTML = {
    "gmail": '<div dir="ltr">2, por favor</div><br><div class="gmail_quote"><div class="gmail_attr">Em ter., 1 de dez.'
    ' de 2026, Comunidade escreveu:<br></div><blockquote class="gmail_quote">Hi<br>1 - I am lost</blockquote></div>',
    "gmail below": '<div class="gmail_quote"><div class="gmail_attr">On Tue, X wrote:</div><blockquote>Hi<div>1</div>'
    "</blockquote><div>2, por favor</div></div>",
    "outlook": '<html><head><style>p {margin: 0}</style></head><body><div class="elementToProof">2, por favor</div>'
    '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>De:</b> X<br><b>Enviado:</b> hoje</div><div>1</div>',
    "outlook desktop": "<p>2, por favor</p><div style='border-top:solid #E1E1E1 1.0pt'><p><b>De:</b> X &lt;x@y.org&gt;"
    "<br><b>Enviada em:</b> 1 de dezembro<br><b>Para:</b> Ana<br><b>Assunto:</b> Oi</p></div><p>1 - perdido</p>",
    "apple": '<html><body>2, por favor<br><div><br></div><div><blockquote type="cite"><div>No dia 1, X escreveu:</div>'
    "<div>1 - perdido</div></blockquote></div></body></html>",
    "thunderbird": '<p>2, por favor<br></p><div class="moz-cite-prefix">Em 01/12/2026 09:00, X escreveu:<br></div>'
    '<blockquote type="cite" cite="mid:1"><p>1</p></blockquote><pre class="moz-signature">-- \nAna</pre>',
    "broken": "<div>2, por favor<p></b></div></div><script>1</script><blockquote>1",
}


@pytest.mark.parametrize("html", HTML.values(), ids=HTML)
def test_reply_is_found_in_html(html):
    assert unquoted(text_of_html(html)) == "2, por favor"
