"""Classifies the text of a member: a request to stop, another request, a reply to the goodbye, or an automatic reply.

classify_text() depends on the text only and has no side effects. The rules are phrases and patterns that must match the
whole text, so a sentence that contains a keyword is no request: "I can't stop watching" does not opt out.

Sources of the keywords: the standard opt-out keywords of Twilio ("Advanced Opt-Out") and of AWS End User Messaging
("Required opt-out keywords"). Automatic replies: RFC 3834 for those with a header, see is_auto_submitted().
"""

import re
import unicodedata

from engagement.rules import GOODBYE_REPLIES

# Return values of classify_text().
OPTED_OUT = "opted_out"
OPTED_IN = "opted_in"
TO_GROUP = "to_group"
TO_INDIVIDUAL = "to_individual"
ANSWER_1, ANSWER_2, ANSWER_3 = (reply.value for reply in GOODBYE_REPLIES)
AUTO_REPLY = "auto_reply"
USER_MESSAGE = "user_message"
INTENTS = (OPTED_OUT, OPTED_IN, TO_GROUP, TO_INDIVIDUAL, ANSWER_1, ANSWER_2, ANSWER_3, AUTO_REPLY, USER_MESSAGE)

# A longer text is no request; an automatic reply is recognised by its beginning.
MAX_READ_CHARACTERS = 400
# A text that consists of these is a request to stop: stop sign, no entry, prohibited, bell with slash.
STOP_SIGNS = "🛑⛔🚫🔕"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


# --- Rules. All are matched against the result of plain(): lower case, no accents, no punctuation. ---

# Removed from both ends of a text, longest first.
COURTESIES = sorted(
    _lines(
        """
        please
        pls
        plz
        thanks
        thank you
        thx
        ty
        hi
        hello
        hey
        hey there
        ok
        okay
        sorry
        por favor
        pf
        pfv
        pfvr
        favor
        por gentileza
        obrigado
        obrigada
        brigado
        brigada
        obg
        valeu
        vlw
        oi
        ola
        opa
        bom dia
        boa tarde
        boa noite
        desculpa
        desculpe
        gracias
        muchas gracias
        muito obrigado
        muito obrigada
        thank you very much
        hola
        buenos dias
        buenas
        perdon
        """
    ),
    key=len,
    reverse=True,
)

# Regular expressions for a whole text that is a request to stop.
_WHAT_EN = (
    "(these|the|your|all|any|more|all these|all the|all your)? ?"
    "(reminders?|messages?|notifications?|emails?|e mails?|texts?|msgs?|mails?|updates?|newsletters?)"
)
_WHAT_PT = (
    "(as|os|essas|esses|estas|estes|suas|seus|tuas|teus|mais|de|todas as|todos os)? ?"
    "(mensagens|mensagem|msgs?|lembretes?|notificacoes|notificacao|e ?mails?|avisos?|novidades)"
)
_WHAT_ES = (
    "(los|las|estos|estas|sus|mas|de|todos los|todas las)? ?"
    "(mensajes?|recordatorios?|notificaciones|correos?|avisos?|e ?mails?)"
)
_LIST_EN = "((from|off|of) )?((this|the|your|that) )?((mailing|contact|e ?mail) )?(lists?|group)"
_LIST_PT = "(d?essa|d?esta|d?aquela|da|sua|tua|a)( sua| tua)? ?lista"
_SENDING = "(sending|writing|messaging|texting|emailing|e mailing|contacting|bothering|spamming|mailing|reminding)"
_WRITE = "(write|message|text|email|e mail|contact|remind|bother)"
_EVER_AGAIN = "( again| ever again| already| now| anymore| any more)?"
_WANT_PT = "(quero |queria |gostaria de |desejo |pode |podem )?"
_SEND_PT = "(mande|manda|mandem|envie|envia|enviem|escreva|escrevam|perturbe|incomode|incomodem|chame)"
_STOP_DOING_PT = "de (me )?(mandar|enviar|escrever|incomodar|encher)"
_REMOVE_PT = "(tira|tire|tirem|tirar|remove|remova|remover|exclui|exclua|excluir|apaga|apague)"
_FROM_HERE_PT = "( disso| daqui| dai)?"
_UNSUBSCRIBE_PT = "((me )?(descadastrar|desinscrever)|cancelar (a |minha |a minha )?(inscricao|assinatura))"
OPT_OUT = _lines(
    rf"""
    stop
    stop ?all
    stop (it|this|that|now|already)
    stop (with )?{_WHAT_EN}
    stop {_SENDING}( to)?( me)?( {_WHAT_EN})?{_EVER_AGAIN}
    (can|could|would|will) you (stop|unsubscribe me|remove me)
    make it stop
    unsub(scribe)?( me)?( {_LIST_EN})?( from {_WHAT_EN})?
    (i )?(want|would like|id like|wish) to (unsubscribe|opt out|stop {_WHAT_EN})
    opt ?out
    opt me out
    cancel( {_WHAT_EN})?
    cancel my subscription
    end
    end {_WHAT_EN}
    quit
    revoke
    remove
    remove me( {_LIST_EN})?
    take me off( {_LIST_EN})?
    (no|no more) {_WHAT_EN}
    no more
    (i )?(do not|dont) (want|need) (to (get|receive|have) )?(any |more )?{_WHAT_EN}( from you)?{_EVER_AGAIN}
    (do not|dont|never) {_WRITE}( to)? me{_EVER_AGAIN}
    (do not|dont) send( me)? (anything|any more|more|{_WHAT_EN}){_EVER_AGAIN}
    leave me be
    (just )?leave me alone
    (turn|switch) off {_WHAT_EN}
    go away
    para
    pare
    parar
    parem
    para (tudo|com isso|com {_WHAT_PT}|{_STOP_DOING_PT}( {_WHAT_PT}| isso)?)
    parem? (tudo|ja|com isso|com {_WHAT_PT}|{_STOP_DOING_PT}( {_WHAT_PT}| isso)?)
    {_WANT_PT}(parar|cancelar) (de receber )?{_WHAT_PT}
    (quero|queria|gostaria de|desejo) (sair|parar|cancelar)
    sair
    {_WANT_PT}sair {_LIST_PT}
    cancelar?
    cancele( {_WHAT_PT})?
    cancela( {_WHAT_PT})?
    {_WANT_PT}{_UNSUBSCRIBE_PT}
    descadastr(e|a)( me)?
    me descadastr(a|e)
    chega
    chega de {_WHAT_PT}
    (eu )?nao quero mais( isso| nada)?
    (eu )?nao (quero|desejo)( mais)? (receber|ver)( mais)?( {_WHAT_PT}| isso| nada)?( de voces)?( mais)?
    (eu )?nao quero( mais)? que (me )?(mandem|enviem|escrevam)( mais)?( {_WHAT_PT}| isso| nada)?( mais)?
    (eu )?nao quero( mais)? {_WHAT_PT}( mais)?
    nao (me )?{_SEND_PT}( me)?( mais)?( {_WHAT_PT}| nada)?( mais)?
    (pode |podem |quero que )?me {_REMOVE_PT}( {_LIST_PT})?{_FROM_HERE_PT}
    {_REMOVE_PT} (eu|me|meu (nome|numero|contato))( {_LIST_PT})?{_FROM_HERE_PT}
    remover( me)?( {_LIST_PT})?
    (me )?deixa(r)?( me)? em paz
    (me )?deixe(m)?( me)? em paz
    sem mais {_WHAT_PT}
    desativ(ar|e|a) {_WHAT_PT}
    nunca mais (me )?(mande|manda|escreva|envie)( {_WHAT_PT}| nada)?
    baja
    (quiero )?(darme|dame|dar) de baja
    darse de baja
    (quiero )?salir
    detener( {_WHAT_ES})?
    basta
    (no|ya no) quiero mas( {_WHAT_ES})?
    (ya )?no quiero (recibir |que me (manden|envien) )?{_WHAT_ES}
    no me (escriban|escribas|manden|mandes|envien|envies)( mas)?( {_WHAT_ES})?
    (dejen?|deja) de (escribirme|mandarme|enviarme)( {_WHAT_ES})?
    (quitame|quitenme|eliminame|borrame|sacame|saquenme)( de (la|esta|su) lista)?
    (dejame|dejenme) en paz
    parar {_WHAT_ES}
    cancelar {_WHAT_ES}
    arret
    """
)
OPT_IN = _lines(
    rf"""
    start
    unstop
    resubscribe
    subscribe( me)?
    opt ?in
    (start|resume|restart) {_WHAT_EN}
    (comecar|iniciar|retomar|reativar|ativar|voltar) {_WHAT_PT}
    (quero )?(voltar a )?receber {_WHAT_PT}( de novo| novamente)?
    (iniciar|reanudar|activar|empezar) {_WHAT_ES}
    """
)
SWITCH = {
    TO_GROUP: _lines(
        """
        switch to (the )?group( chat)?
        mudar para (o )?grupo
        cambiar al? grupo
        """
    ),
    TO_INDIVIDUAL: _lines(
        """
        switch to (the )?individual( chat)?
        mudar para (o )?(chat )?individual
        cambiar a(l chat)? individual
        """
    ),
}

_VERY_PT = "(meio |muito |um pouco |bem |super |tao )?"
_NOW_PT = "( demais| agora| no momento| esses dias)?"
# Replies to a goodbye in words, including the options of its template.
GOODBYE_PHRASES = {
    ANSWER_1: _lines(
        rf"""
        (i am |im |i feel )?(a bit |a little |so |very |really |totally )?(confused|lost)
        i got lost
        (i got lost )?help me (to )?start (again|over)
        (estou |to |tou |fiquei |me sinto )?{_VERY_PT}(confus[oa]|perdid[oa]){_NOW_PT}
        (fiquei confus[oa] )?me ajud(e|a) a recomecar
        (estoy )?(muy |un poco )?(confundid[oa]|perdid[oa])
        """
    ),
    ANSWER_2: _lines(
        rf"""
        (i am |im )?(a bit |so |very |really |too |just |super )?busy( right now| now| at the moment| these days)?
        ((i am |im )?busy )?ask me (again )?in (two|2) weeks
        ((i am |im )?busy )?(ask me )?later
        (estou |to |tou |ando )?{_VERY_PT}(ocupad[oa]|atarefad[oa]){_NOW_PT}
        (estou ocupad[oa] )?(me )?pergunte (de novo )?(daqui a|em) (duas|2) semanas
        (estou |to )?(sem tempo|na correria)( agora| no momento)?
        (estou |to )?corrid[oa]
        (me )?(chama|chame|pergunte) (mais tarde|depois)
        (estoy )?(muy )?ocupad[oa]( ahora)?
        sin tiempo
        """
    ),
    ANSWER_3: _lines(
        """
        (i am |im |its |it is )?all (is )?good( leave me be)?
        (esta |ta )?tudo (certo|ok|tranquilo)( prefiro ficar quiet[oa])?
        (eu )?prefiro ficar quiet[oa]
        todo en orden
        """
    ),
}
# Replies to a goodbye by number: the spellings of each number, and the words allowed before it.
NUMBERS = {
    ANSWER_1: ("1", "one", "um", "uma", "uno"),
    ANSWER_2: ("2", "two", "dois", "duas", "dos"),
    ANSWER_3: ("3", "three", "tres"),
}
_BEFORE_NUMBER = (
    r"(?:(?:a|o|the|la|el|na|my|minha|mi) )?(?:(?:answer|resposta|respuesta)(?: (?:is|e|es))? )?(?:(?:a|o|the|la|el) )?"
    r"(?:(?:opcao|option|opcion|numero|number|num|nr|no|n|alternativa|letra|item) )?"
)
_CHOOSING = (
    r"(?:(?:i |eu )?(?:choose|pick|take|want|vote|escolho|quero|prefiro|fico com|vou de|vou com|elijo|quiero|e) )?"
)

# Automatic replies: patterns searched in the text; ^ anchors at its beginning.
_AUTO_START = r"^(?:(?:re|fw|fwd|enc|subject|assunto|asunto) )*"
_OFFICE = "(?:out of (?:the )?office|fora do escritorio|fora da empresa|fuera de (?:la )?oficina)"
_AWAY_PT = rf"(?:ausente|{_OFFICE}|(?:de|em) (?:ferias|licenca)|de folga|em recesso)"
_AWAY_EN = (
    rf"(?:away|{_OFFICE}|on (?:annual |parental |maternity |paternity |sick |medical )?"
    r"(?:leave|vacation|holidays?|pto))"
)
_AWAY_ES = rf"(?:ausente|{_OFFICE}|de (?:vacaciones|licencia))"
_A_FEW = r"(?: \w+){0,4}"
_UNTIL = r"(?:until|till|through|returning|and will (?:return|be back|reply|respond))"
_CONTACTING = "(?:contacting|reaching out to|your (?:e ?mail|message))"
_CONTACTING_PT = "(?:(?:por|pelo|pela|o|a) )?(?:seu |sua )?(?:entrar em contato|contato|mensagem|e ?mail)"
_ANSWER_PT = "(?:retornaremos|responderemos|(?:assim que|mais breve) possivel)"
AUTO_REPLIES = _lines(
    rf"""
    {_AUTO_START}auto(?:matic|matically generated|mated|mated e ?mail)? ?(?:reply|response|responder|answer|message)\b
    {_AUTO_START}(?:resposta|mensagem|e ?mail) (?:automatic[oa]|automatizad[oa])\b
    {_AUTO_START}(?:respuesta|mensaje|correo) automatic[oa]\b
    {_AUTO_START}(?:{_OFFICE}|ooo|ausencia temporaria|ausente do escritorio)\b
    \bthis is an auto(?:matic|mated|matically generated)? ?(?:reply|response|message|e ?mail)\b
    \b(?:esta|isto|este|essa|esse|isso) e uma? (?:resposta|mensagem|e ?mail) automatic[oa]\b
    \b(?:esta|este|esto) es una? (?:respuesta|mensaje|correo) automatic[oa]\b
    \bout of office (?:auto ?reply|assistant|notification|notice)\b
    \b(?:estou|estarei|encontro me|me encontro) {_AWAY_PT}{_A_FEW} (?:ate|a partir de|de \d|entre)\b
    \b(?:i am|im|i will be|ill be) (?:currently |now )?{_AWAY_EN}{_A_FEW} {_UNTIL}\b
    \b(?:estoy|estare) {_AWAY_ES}{_A_FEW} (?:hasta|desde|del)\b
    \bwill have (?:limited|no) access to (?:my )?(?:e ?mail|messages)\b
    \b(?:thank you|thanks) for {_CONTACTING}\b.*(?:as soon as|we will (?:get back|respond|reply))
    \b(?:obrigad[oa]|agradecemos) {_CONTACTING_PT}\b.*{_ANSWER_PT}
    \bgracias por (?:contactar\w*|comunicarte|escribir\w*|(?:su|tu) mensaje)\b.*(?:responderemos|lo antes posible)
    \b(?:favor |por favor )?nao respond(?:a|er) (?:a )?(?:este|esta|esse|essa) (?:e ?mail|mensagem)\b
    \b(?:do not|dont) reply to this (?:e ?mail|message)\b
    """
)
_AT_ENDS = "|".join(COURTESIES)
_COURTESY_BEFORE = re.compile(rf"^(?:{_AT_ENDS}) (?=.)")
_COURTESY_AFTER = re.compile(rf"(?<=.) (?:{_AT_ENDS})$")


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_WHOLE = {
    OPTED_OUT: _any_of(OPT_OUT),
    OPTED_IN: _any_of(OPT_IN),
    **{intent: _any_of(patterns) for intent, patterns in SWITCH.items()},
    **{intent: _any_of(patterns) for intent, patterns in GOODBYE_PHRASES.items()},
}
_NUMBERED = {
    # "2", "número 2", "a 2", "2 - ocupado". After a verb only a digit counts: "quero uma" is no reply.
    intent: re.compile(
        rf"(?:{_BEFORE_NUMBER}(?:{'|'.join(spellings)})|{_CHOOSING}{_BEFORE_NUMBER}{spellings[0]})"
        rf"(?: (?:{'|'.join(f'(?:{pattern})' for pattern in GOODBYE_PHRASES[intent])}))?"
    )
    for intent, spellings in NUMBERS.items()
}
_AUTOMATIC = _any_of(AUTO_REPLIES)
# Start of the quoted message or of the signature of an e-mail program.
_QUOTED = re.compile(
    r"^(?:>.*|-- ?|_{5,}|-{3,} ?(?:original message|mensagem original).*"
    r"|(?:on|em|el) .{5,200}(?:wrote|escreveu|escribi[oó]):"
    r"|(?:sent from|get outlook|enviado d[eo]|enviado desde).*)$",
    re.MULTILINE | re.IGNORECASE,
)


def classify_text(text: str) -> str:
    """Return the intent of a text, one of INTENTS.

    Does not check whether the member was sent a goodbye; the caller does.
    """
    if _is_stop_sign(text):
        return OPTED_OUT
    plain_text = plain(text)
    for candidate in dict.fromkeys((plain_text, _without_courtesies(plain_text))):
        for intent, pattern in (*_WHOLE.items(), *_NUMBERED.items()):
            if pattern.fullmatch(candidate):
                return intent
    if _AUTOMATIC.search(plain_text):
        return AUTO_REPLY
    return USER_MESSAGE


def is_auto_submitted(value: bool | str | None) -> bool:
    """Return whether the value of the header Auto-Submitted means an automatic message (RFC 3834: all but "no")."""
    if isinstance(value, str):
        return value.partition(";")[0].strip().lower() not in ("", "no", "false", "0")
    return bool(value)


def plain(text: str) -> str:
    """Normalise a text for matching: lower case letters and digits, no accents, no punctuation, single blanks.

    Keycap and full-width digits become digits. The quoted part of an e-mail is removed.
    """
    if quoted := _QUOTED.search(text[: MAX_READ_CHARACTERS * 4]):
        text = text[: quoted.start()] if text[: quoted.start()].strip() else text
    decomposed = unicodedata.normalize("NFKD", text[:MAX_READ_CHARACTERS])
    letters = "".join(each for each in decomposed if unicodedata.category(each) not in ("Mn", "Me", "Cf")).casefold()
    # Apostrophes are removed: "don't" becomes "dont". A sign before a digit is kept as a word: "-1" is no reply.
    letters = re.sub(r"(?<=[^\W\d_])['\u2019\u2018`\u00b4](?=[^\W\d_])", "", letters)
    letters = re.sub(r"(?<!\w)([-+\u2212])(?=\d)", r" minus", letters)
    words = re.sub(r"[^\w]+|_", " ", letters).split()
    # "stop stop stop" is one stop, but "1 1" is not 1.
    return " ".join(word for index, word in enumerate(words) if not index or word != words[index - 1] or word.isdigit())


def _is_stop_sign(text: str) -> bool:
    """Return whether a text has a stop sign and no letter or digit."""
    looked_at = text[:MAX_READ_CHARACTERS]
    return any(sign in looked_at for sign in STOP_SIGNS) and not any(each.isalnum() for each in looked_at)


def _without_courtesies(plain_text: str) -> str:
    """Return the text without courtesies at its start and end."""
    while (shorter := _COURTESY_AFTER.sub("", _COURTESY_BEFORE.sub("", plain_text))) != plain_text:
        plain_text = shorter
    return plain_text
