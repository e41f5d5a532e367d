"""The phrases that the reading of replies starts with, in three languages; staff can change them.

Written as ReplyPhrase describes: (optional words), {name of a word list}, ... for up to four words.

Sources of the keywords: the standard opt-out keywords of Twilio ("Advanced Opt-Out") and of AWS End User Messaging
("Required opt-out keywords").
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.apps import apps as installed
from django.apps.registry import Apps

from engagement.rules import Language, Match, Reading


class DefaultPhrase(NamedTuple):
    """A row of reply_phrases."""

    reading: str
    language: str
    phrase: str
    match: str = Match.WHOLE
    word_list: str = ""


# Word lists: language, name, words separated by commas.
WORD_LISTS = [
    (Language.EN, "any", "these, the, this, your, all, any, more, any more, all these, all the, all your, those"),
    (
        Language.EN,
        "messages",
        "reminder, reminders, message, messages, notification, notifications, email, emails, e mail, e mails, mail,"
        " mails, text, texts, msg, msgs, update, updates, newsletter, newsletters, stuff, spam",
    ),
    (
        Language.EN,
        "sending",
        "sending, writing, writing to, messaging, texting, emailing, e mailing, contacting, bothering, spamming,"
        " mailing, reminding, pinging, sending messages to",
    ),
    (Language.EN, "digit", "1, 2, 3"),
    (Language.EN, "write", "write, write to, message, text, email, e mail, mail, contact, remind, bother, ping"),
    (Language.EN, "again", "again, ever again, already, now, anymore, any more, any longer, immediately, today"),
    (
        Language.EN,
        "from list",
        "from this list, from the list, from your list, from that list, from the mailing list, from your mailing list,"
        " from this mailing list, off this list, off the list, off your list, off the mailing list, from this group,"
        " from the group, from here, from this, from your contacts, from your system",
    ),
    (Language.EN, "would like", "want to, would like to, id like to, wish to, need to, wanna"),
    (Language.EN, "please do", "can you, could you, would you, will you, can you please, could you please"),
    (Language.EN, "is", "i am, im, i feel, i was, i got, it is, its, everything is, everythings, we are"),
    (Language.EN, "very", "a bit, a little, so, very, really, totally, too, just, super, kind of, quite, pretty"),
    (
        Language.EN,
        "these days",
        "right now, now, at the moment, these days, at present, this week, this month, these weeks, currently, lately,"
        " atm, here, for now",
    ),
    (
        Language.PT,
        "as",
        "as, os, essas, esses, estas, estes, suas, seus, tuas, teus, mais, de, com, com as, com os, com essas,"
        " com esses, todas as, todos os, essa, esse, de receber, de mandar",
    ),
    (
        Language.PT,
        "mensagens",
        "mensagem, mensagens, msg, msgs, lembrete, lembretes, notificacao, notificacoes, email, emails, e mail,"
        " e mails, aviso, avisos, novidades, recados, isso, nada, coisas",
    ),
    (Language.PT, "quero", "quero, queria, gostaria de, desejo, pode, podem, vou, preciso, eu quero, eu queria"),
    (
        Language.PT,
        "manda",
        "mande, manda, mandem, envie, envia, enviem, escreva, escreve, escrevam, perturbe, perturbem, incomode,"
        " incomodem, chame, chamem, chama, contate, procure, procurem, mandar, enviar",
    ),
    (
        Language.PT,
        "de mandar",
        "de mandar, de me mandar, de enviar, de me enviar, de escrever, de me escrever, de incomodar, de me incomodar,"
        " de encher, de me encher, de encher o saco, de me perturbar, de me chamar, de spam",
    ),
    (
        Language.PT,
        "tira",
        "tira, tire, tirem, tirar, remove, remova, removam, remover, exclui, exclua, excluam, excluir, apaga, apague,"
        " retira, retire",
    ),
    (
        Language.PT,
        "da lista",
        "da lista, dessa lista, desta lista, daquela lista, da sua lista, da tua lista, da lista de voces, de sua"
        " lista, dessa lista de voces, do grupo, desse grupo, deste grupo, disso, daqui, dai, desses lembretes, das"
        " mensagens, dessas mensagens, da lista de contatos, da lista de mensagens",
    ),
    (Language.PT, "estou", "estou, to, tou, fiquei, ando, me sinto, eu estou, eu to, eu fiquei, eu ando, estava"),
    (Language.PT, "muito", "meio, muito, um pouco, bem, super, tao, bastante, completamente, mt, mto"),
    (
        Language.PT,
        "agora",
        "demais, agora, no momento, esses dias, essa semana, esta semana, este mes, esse mes, ultimamente, hoje em"
        " dia, por agora, com tudo",
    ),
    (Language.PT, "aqui", "aqui, por aqui, por ca, comigo, por enquanto"),
    (
        Language.ES,
        "los",
        "los, las, el, la, estos, estas, sus, tus, mas, de, con, con los, con las, con estos, de los, todos los,"
        " todas las, recibir, de recibir, de mandar, de enviar",
    ),
    (
        Language.ES,
        "mensajes",
        "mensaje, mensajes, recordatorio, recordatorios, notificacion, notificaciones, correo, correos, aviso, avisos,"
        " email, emails, e mail, e mails, nada, esto, eso, novedades",
    ),
    (Language.ES, "quiero", "quiero, quisiera, deseo, me gustaria, yo quiero, prefiero, puedes, pueden, podrian"),
    (
        Language.ES,
        "escriban",
        "escriban, escribas, escriba, manden, mandes, mande, envien, envies, envie, contacten, contactes, contacte,"
        " molesten, molestes, moleste",
    ),
    (
        Language.ES,
        "escribirme",
        "escribirme, mandarme, enviarme, molestar, molestarme, contactarme, mandar, enviar, escribir, mandarme mas",
    ),
    (
        Language.ES,
        "sacame",
        "sacame, saquenme, saqueme, quitame, quitenme, quiteme, borrame, borrenme, borreme, eliminame, eliminenme,"
        " elimineme, remuevanme",
    ),
    (
        Language.ES,
        "de la lista",
        "de la lista, de esta lista, de su lista, de tu lista, de esa lista, de aqui, del grupo, de este grupo, de"
        " esto, de los mensajes, de la lista de contactos",
    ),
    (Language.ES, "estoy", "estoy, ando, me siento, yo estoy, sigo, quede, estaba"),
    (Language.ES, "muy", "muy, un poco, bastante, algo, super, bien, demasiado, tan"),
    (Language.ES, "ahora", "ahora, ahora mismo, en este momento, estos dias, esta semana, este mes, por ahora"),
]

# Phrases: reading, language, one phrase a line.
WHOLE_TEXTS = [
    (
        Reading.OPTED_OUT,
        Language.EN,
        """
        stop
        stop all
        stopall
        stop (with) ({any}) {messages} ({again})
        stop (it) ({again})
        stop this ({again})
        stop that ({again})
        stop {sending} (me) ({again})
        stop {sending} (me) ({any}) {messages} ({again})
        stop {sending} (me) these ({again})
        stop {sending} (me) this ({again})
        ({please do}) (please) stop ({again})
        {please do} (please) stop ({any}) {messages}
        {please do} (please) stop {sending} (me) ({any}) ({messages}) ({again})
        {please do} (please) unsubscribe me ({from list})
        {please do} (please) remove me ({from list})
        (please) make it stop
        unsubscribe (me) ({from list})
        unsubscribe (me) from ({any}) {messages}
        unsub (me) ({from list})
        (i) {would like} unsubscribe ({from list})
        (i) {would like} opt out
        (i) {would like} stop ({any}) ({messages})
        (i) {would like} stop receiving ({any}) ({messages})
        (i) {would like} be removed ({from list})
        stop receiving ({any}) {messages}
        opt out
        optout
        opt me out
        cancel
        cancel ({any}) {messages}
        cancel (my) subscription
        end
        end ({any}) {messages}
        quit
        revoke
        remove
        remove me ({from list})
        remove my number ({from list})
        remove my name ({from list})
        remove my email ({from list})
        remove my contact ({from list})
        take me {from list}
        take my name {from list}
        take my number {from list}
        delete me ({from list})
        delete my number
        no ({any}) {messages} ({again})
        no more
        enough
        enough already
        enough of this
        enough ({any}) {messages}
        enough with ({any}) {messages}
        (i am) (im) not interested ({again})
        (i) no longer interested
        (i am) (im) no longer interested
        no interest
        i am done
        im done
        (i) do not want (to get) (to receive) (to have) ({any}) {messages} (from you) ({again})
        (i) dont want (to get) (to receive) (to have) ({any}) {messages} (from you) ({again})
        (i) do not want (to get) (to receive) (to have) ({any}) (from you) {again}
        (i) dont want (to get) (to receive) (to have) ({any}) (from you) {again}
        (i) dont want to receive this
        (i) dont want this
        (i) do not want this
        (i) dont need ({any}) {messages} ({again})
        (i) do not need ({any}) {messages} ({again})
        (i) no longer wish to receive ({any}) {messages} (from you)
        (i) no longer want to receive ({any}) {messages} (from you)
        (i) no longer want ({any}) {messages} (from you)
        do not {write} me ({again})
        dont {write} me ({again})
        never {write} me ({again})
        do not {write} me with ({any}) {messages} ({again})
        do not send (me) ({any}) {messages} ({again})
        dont send (me) ({any}) {messages} ({again})
        do not send (me) anything ({again})
        dont send (me) anything ({again})
        do not send (me) (any) more
        dont send (me) (any) more
        leave me be
        (just) leave me alone
        turn off ({any}) {messages}
        switch off ({any}) {messages}
        mute ({any}) {messages}
        go away
        get lost
        🛑
        ⛔
        🚫
        🔕
        """,
    ),
    (
        Reading.OPTED_OUT,
        Language.PT,
        """
        para
        para ja
        para tudo
        para com isso
        para {de mandar} ({as}) ({mensagens})
        para ({as}) {mensagens}
        pare
        pare ja
        pare {de mandar} ({as}) ({mensagens})
        pare ({as}) {mensagens}
        parem
        parem {de mandar} ({as}) ({mensagens})
        parem ({as}) {mensagens}
        parar
        parar tudo
        ({quero}) parar ({as}) {mensagens}
        ({quero}) parar de receber ({as}) {mensagens}
        {quero} parar
        {quero} parar {de mandar} ({as}) ({mensagens})
        para por aqui
        sair
        {quero} sair
        ({quero}) sair {da lista}
        cancelar
        {quero} cancelar
        ({quero}) cancelar ({as}) {mensagens}
        ({quero}) cancelar (a) (minha) inscricao
        ({quero}) cancelar (a) (minha) assinatura
        ({quero}) cancelar (o) recebimento
        cancele ({as}) {mensagens}
        cancela ({as}) {mensagens}
        cancela
        cancele
        cancela (a) (minha) inscricao
        cancele (a) (minha) inscricao
        cancela (a) (minha) assinatura
        cancele (a) (minha) assinatura
        descadastrar
        descadastre
        descadastra
        ({quero}) (me) descadastrar
        (me) descadastre ({da lista})
        (me) descadastra ({da lista})
        ({quero}) (me) desinscrever
        (me) desinscreve
        (me) desinscreva
        desinscrever
        chega
        ja chega
        chega disso
        chega de {mensagens}
        chega de tantas {mensagens}
        (eu) nao quero mais
        (eu) nao quero mais {mensagens} (de voces)
        (eu) nao quero mais (as) (os) (essas) (esses) (suas) (seus) {mensagens}
        (eu) nao quero ({as}) {mensagens} (mais)
        (eu) nao quero (mais) receber (mais)
        (eu) nao quero (mais) receber ({as}) {mensagens} (de voces) (mais)
        (eu) nao desejo (mais) receber ({as}) ({mensagens}) (de voces) (mais)
        (eu) nao gostaria de (mais) receber ({as}) ({mensagens}) (mais)
        (eu) nao quero (mais) ver (isso) (mais)
        (eu) nao quero (mais) que (me) {manda} (mais) ({mensagens}) (mais)
        (eu) nao quero (mais) ser contatado
        (eu) nao quero (mais) ser incomodado
        (eu) nao quero (mais) ser incomodada
        (eu) nao tenho (mais) interesse
        (eu) nao tenho interesse mais
        sem interesse
        perdi o interesse
        nao me interessa (mais)
        nao estou (mais) interessado
        nao estou (mais) interessada
        nao (me) {manda} (me) (mais) ({as}) ({mensagens}) (mais)
        nao (me) {manda} (me) mais ({mensagens})
        nao precisa (me) {manda} (mais) ({mensagens}) (mais)
        (pode) (podem) (quero que) me {tira} ({da lista})
        me {tira} desses {mensagens}
        {tira} (eu) (me) {da lista}
        {tira} me ({da lista})
        {tira} (o) meu nome ({da lista})
        {tira} (o) meu numero ({da lista})
        {tira} (o) meu contato ({da lista})
        {tira} (o) meu email ({da lista})
        remover
        remova
        excluir
        remover (me) {da lista}
        (me) deixa (me) em paz
        (me) deixe (me) em paz
        (me) deixem (me) em paz
        (me) deixar em paz
        (eu) quero paz
        sem mais {mensagens}
        desativar ({as}) {mensagens}
        desative ({as}) {mensagens}
        desativa ({as}) {mensagens}
        desligar ({as}) {mensagens}
        desliga ({as}) {mensagens}
        nunca mais (me) {manda} ({mensagens})
        """,
    ),
    (
        Reading.OPTED_OUT,
        Language.ES,
        """
        baja
        dar de baja
        darme de baja
        dame de baja
        denme de baja
        darse de baja
        ({quiero}) darme de baja ({de la lista})
        (me) quiero dar de baja ({de la lista})
        alto
        para ya
        para de {escribirme} ({los}) ({mensajes})
        paren
        paren ya
        paren de {escribirme} ({los}) ({mensajes})
        {quiero} parar
        ({quiero}) parar ({los}) {mensajes}
        ({quiero}) cancelar ({los}) {mensajes}
        ({quiero}) cancelar (la) (mi) suscripcion
        ({quiero}) detener ({los}) {mensajes}
        detener
        salir
        {quiero} salir
        ({quiero}) salir {de la lista}
        ({quiero}) salirme ({de la lista})
        basta
        basta ya
        ya basta
        basta de {mensajes}
        basta de tantos {mensajes}
        (ya) no quiero
        (ya) no quiero mas
        (ya) no quiero mas {mensajes}
        (ya) no quiero ({los}) {mensajes}
        (ya) no quiero recibir ({los}) ({mensajes})
        (ya) no quiero seguir recibiendo ({los}) ({mensajes})
        (ya) no quiero que me {escriban} (mas) ({mensajes})
        (ya) no deseo recibir ({los}) ({mensajes})
        no me {escriban} (mas) ({los}) ({mensajes}) (mas)
        nunca mas me {escriban} ({mensajes})
        dejen de {escribirme} ({los}) ({mensajes})
        deja de {escribirme} ({los}) ({mensajes})
        deje de {escribirme} ({los}) ({mensajes})
        {sacame} ({de la lista})
        {sacame} por completo ({de la lista})
        borra mi numero ({de la lista})
        borren mi numero ({de la lista})
        (ya) no me interesa (mas)
        (ya) no estoy interesado
        (ya) no estoy interesada
        sin interes
        no molestar
        no molesten
        no molestes
        no mas
        no mas {mensajes}
        dejame en paz
        dejenme en paz
        dejeme en paz
        desuscribir
        desuscribirme
        desuscribanme
        desuscribeme
        ({quiero}) desuscribirme ({de la lista})
        cancelar suscripcion
        eliminar
        desactivar ({los}) {mensajes}
        apagar ({los}) {mensajes}
        """,
    ),
    (
        Reading.OPTED_IN,
        Language.EN,
        """
        start
        unstop
        resubscribe
        (please) subscribe (me) (again)
        opt in
        opt me in
        start ({any}) {messages} (again)
        resume ({any}) {messages} (again)
        restart ({any}) {messages} (again)
        turn ({any}) {messages} (back) on (again)
        turn on ({any}) {messages} (again)
        switch on ({any}) {messages} (again)
        send me ({any}) {messages} again
        (i) {would like} receive ({any}) {messages} again
        """,
    ),
    (
        Reading.OPTED_IN,
        Language.PT,
        """
        comecar ({as}) {mensagens}
        iniciar ({as}) {mensagens}
        retomar ({as}) {mensagens}
        reativar ({as}) {mensagens}
        ativar ({as}) {mensagens}
        religar ({as}) {mensagens}
        ligar ({as}) {mensagens}
        voltar ({as}) {mensagens}
        ({quero}) voltar a receber ({as}) ({mensagens})
        ({quero}) receber ({as}) {mensagens} (de novo) (novamente)
        {quero} receber de novo
        {quero} receber novamente
        pode voltar a mandar ({as}) ({mensagens})
        """,
    ),
    (
        Reading.OPTED_IN,
        Language.ES,
        """
        alta
        iniciar ({los}) {mensajes}
        reanudar ({los}) {mensajes}
        activar ({los}) {mensajes}
        reactivar ({los}) {mensajes}
        empezar ({los}) {mensajes}
        comenzar ({los}) {mensajes}
        ({quiero}) recibir ({los}) {mensajes} (de nuevo) (otra vez)
        {quiero} volver a recibir ({los}) ({mensajes})
        volver a recibir ({los}) ({mensajes})
        """,
    ),
    (Reading.TO_GROUP, Language.EN, "switch to (the) group (chat)"),
    (Reading.TO_GROUP, Language.PT, "mudar para (o) grupo"),
    (Reading.TO_GROUP, Language.ES, "cambiar al grupo\ncambiar a grupo"),
    (Reading.TO_INDIVIDUAL, Language.EN, "switch to (the) individual (chat)"),
    (Reading.TO_INDIVIDUAL, Language.PT, "mudar para (o) (chat) individual"),
    (Reading.TO_INDIVIDUAL, Language.ES, "cambiar a individual\ncambiar al (chat) individual"),
    (
        Reading.ANSWER_1,
        Language.EN,
        """
        ({is}) ({very}) confused ({these days})
        ({is}) ({very}) lost ({these days})
        i got lost help me (to) start again
        i got lost help me (to) start over
        help me (to) start again
        help me (to) start over
        help me (to) restart
        i need help (to start again)
        confused tbh
        the first (one)
        first one
        the first option
        """,
    ),
    (
        Reading.ANSWER_1,
        Language.PT,
        """
        ({estou}) ({muito}) confuso ({agora})
        ({estou}) ({muito}) confusa ({agora})
        ({estou}) ({muito}) perdido ({agora})
        ({estou}) ({muito}) perdida ({agora})
        me perdi
        fiquei confuso me ajude a recomecar
        fiquei confusa me ajude a recomecar
        me ajude a recomecar
        me ajuda a recomecar
        ajuda para recomecar
        preciso de ajuda (para recomecar)
        a primeira (opcao)
        primeira (opcao)
        """,
    ),
    (
        Reading.ANSWER_1,
        Language.ES,
        """
        ({estoy}) ({muy}) confundido ({ahora})
        ({estoy}) ({muy}) confundida ({ahora})
        ({estoy}) ({muy}) confuso ({ahora})
        ({estoy}) ({muy}) confusa ({ahora})
        ({estoy}) ({muy}) perdido ({ahora})
        ({estoy}) ({muy}) perdida ({ahora})
        me perdi
        ayudame a empezar de nuevo
        ayudame a empezar otra vez
        ayudame a volver a empezar
        necesito ayuda (para empezar de nuevo)
        la primera (opcion)
        primera (opcion)
        """,
    ),
    (
        Reading.ANSWER_2,
        Language.EN,
        """
        ({is}) ({very}) busy ({these days})
        ({is}) ({very}) busy ask me (again) in two weeks
        ({is}) ({very}) busy ask me (again) in 2 weeks
        ask (me) (again) in two weeks
        ask (me) (again) in 2 weeks
        ask (me) (again) later
        (maybe) later
        in two weeks
        (i have) no time ({these days})
        i dont have time ({these days})
        not now
        remind me later
        remind me in two weeks
        the second (one)
        second one
        the second option
        """,
    ),
    (
        Reading.ANSWER_2,
        Language.PT,
        """
        ({estou}) ({muito}) ocupado ({agora})
        ({estou}) ({muito}) ocupada ({agora})
        ({estou}) ({muito}) atarefado ({agora})
        ({estou}) ({muito}) atarefada ({agora})
        ({estou}) ({muito}) corrido ({agora})
        ({estou}) ({muito}) enrolado ({agora})
        ({estou}) ({muito}) enrolada ({agora})
        estou ocupado pergunte daqui a duas semanas
        estou ocupada pergunte daqui a duas semanas
        (me) pergunte (de novo) daqui a duas semanas
        (me) pergunta (de novo) daqui a duas semanas
        (me) pergunte (de novo) em duas semanas
        (me) pergunte (de novo) daqui a 2 semanas
        daqui a duas semanas
        ({estou}) sem tempo ({agora})
        nao tenho tempo ({agora})
        ({estou}) na correria ({agora})
        (me) chama (mais tarde) (depois)
        (me) chame (mais tarde) (depois)
        (me) pergunte mais tarde
        (me) pergunte depois
        mais tarde
        agora nao
        agora nao posso
        a segunda (opcao)
        segunda (opcao)
        """,
    ),
    (
        Reading.ANSWER_2,
        Language.ES,
        """
        ({estoy}) ({muy}) ocupado ({ahora})
        ({estoy}) ({muy}) ocupada ({ahora})
        ({estoy}) ({muy}) liado ({ahora})
        ({estoy}) ({muy}) liada ({ahora})
        ({estoy}) sin tiempo ({ahora})
        no tengo tiempo ({ahora})
        preguntame (de nuevo) en dos semanas
        preguntame (de nuevo) en 2 semanas
        preguntame (de nuevo) mas tarde
        preguntame luego
        en dos semanas
        mas tarde
        ahora no
        ahora no puedo
        la segunda (opcion)
        segunda (opcion)
        """,
    ),
    (
        Reading.ANSWER_3,
        Language.EN,
        """
        ({is}) all good (here) (with me)
        ({is}) (all) fine (here)
        {is} ok (here)
        ({is}) all ok (here)
        all is good
        all is well
        all good leave me be
        all good leave me alone
        (i) prefer (to be) (to stay) quiet
        the third (one)
        third one
        the third option
        """,
    ),
    (
        Reading.ANSWER_3,
        Language.PT,
        """
        ({estou}) (esta) (ta) tudo certo ({aqui})
        (esta) (ta) tudo ok ({aqui})
        (esta) (ta) tudo bem ({aqui})
        (esta) (ta) tudo tranquilo ({aqui})
        (esta) (ta) tudo em ordem ({aqui})
        tudo certo prefiro ficar quieto
        tudo certo prefiro ficar quieta
        (eu) prefiro ficar quieto
        (eu) prefiro ficar quieta
        (eu) prefiro ficar na minha
        ({estou}) de boa
        ({estou}) de boas
        {estou} bem ({aqui})
        tranquilo
        a terceira (opcao)
        terceira (opcao)
        """,
    ),
    (
        Reading.ANSWER_3,
        Language.ES,
        """
        (esta) todo bien (por aqui)
        (esta) todo en orden (por aqui)
        (esta) todo tranquilo
        estoy bien (por aqui)
        prefiero estar tranquilo
        prefiero estar tranquila
        prefiero quedarme tranquilo
        prefiero quedarme tranquila
        prefiero no hablar
        la tercera (opcion)
        tercera (opcion)
        """,
    ),
    (Reading.NUMBER_1, Language.EN, "1\none"),
    (Reading.NUMBER_2, Language.EN, "2\ntwo"),
    (Reading.NUMBER_3, Language.EN, "3\nthree"),
    (Reading.NUMBER_1, Language.PT, "um\numa"),
    (Reading.NUMBER_2, Language.PT, "dois\nduas"),
    (Reading.NUMBER_3, Language.PT, "tres"),
    (Reading.NUMBER_1, Language.ES, "uno\nuna"),
    (Reading.NUMBER_2, Language.ES, "dos"),
    (
        Reading.BEFORE_NUMBER,
        Language.EN,
        "a\nthe\nnumber\nnum\nnr\nno\nn\n(the) option\n(my) answer (is) (option)",
    ),
    (
        Reading.BEFORE_NUMBER,
        Language.PT,
        "o\nna\ne\n(a) opcao\n(o) numero\n(a) alternativa\n(a) letra\n(a) (minha) resposta (e) (a) (opcao)",
    ),
    (Reading.BEFORE_NUMBER, Language.ES, "la\nel\n(la) opcion\n(el) numero\n(la) (mi) respuesta (es) (la) (opcion)"),
    (Reading.CHOOSING, Language.EN, "(i) choose\n(i) pick\n(i) take\n(i) want\n(i) vote"),
    (Reading.CHOOSING, Language.PT, "(eu) escolho\n(eu) quero\n(eu) prefiro\nfico com\nvou de\nvou com"),
    (Reading.CHOOSING, Language.ES, "elijo\nquiero\nprefiero"),
    (
        Reading.UNCLEAR,
        Language.EN,
        """
        yes
        yep
        no
        nope
        maybe
        perhaps
        not sure
        i dont know
        i am not sure
        whatever
        any
        all of them
        both
        {digit} or {digit}
        {digit} and {digit}
        what
        """,
    ),
    (
        Reading.UNCLEAR,
        Language.PT,
        """
        sim
        nao
        talvez
        tanto faz
        nao sei
        sei la
        quem sabe
        como assim
        o que
        todas
        qualquer uma
        {digit} ou {digit}
        {digit} e {digit}
        """,
    ),
    (
        Reading.UNCLEAR,
        Language.ES,
        """
        si
        quizas
        quiza
        tal vez
        no se
        no lo se
        cualquiera
        da igual
        como
        que
        todas
        {digit} o {digit}
        {digit} y {digit}
        """,
    ),
    (
        Reading.COURTESY,
        Language.EN,
        """
        please
        pls
        plz
        thanks
        thanks a lot
        many thanks
        thank you
        thank you very much
        thx
        ty
        ok
        okay
        k
        sorry
        cool
        great
        got it
        no thanks
        no thank you
        """,
    ),
    (
        Reading.COURTESY,
        Language.PT,
        """
        por favor
        pf
        pfv
        pfvr
        favor
        por gentileza
        obrigado
        obrigada
        muito obrigado
        muito obrigada
        brigado
        brigada
        obg
        valeu
        vlw
        desculpa
        desculpe
        ta
        ta bom
        beleza
        blz
        certo
        entendi
        de nada
        grato
        grata
        """,
    ),
    (
        Reading.COURTESY,
        Language.ES,
        """
        gracias
        muchas gracias
        mil gracias
        perdon
        disculpa
        disculpe
        vale
        de acuerdo
        entendido
        porfa
        """,
    ),
    (Reading.GREETING, Language.EN, "hi\nhello\nhey\nhey there\nhi there\ngood morning\ngood evening\ndear team"),
    (Reading.GREETING, Language.PT, "oi\nola\nopa\nbom dia\nboa tarde\nboa noite\noi pessoal\ne ai"),
    (Reading.GREETING, Language.ES, "hola\nbuenos dias\nbuenas\nbuenas tardes\nbuenas noches"),
]

# Automatic replies, recognised by a part of the text.
AUTOMATIC = [
    (
        Language.EN,
        Match.START,
        """
        auto
        auto reply
        autoreply
        auto response
        automatic reply
        automatic response
        automatic answer
        automated reply
        automated response
        automated message
        out of (the) office
        ooo
        """,
    ),
    (
        Language.EN,
        Match.ANYWHERE,
        """
        this is an automatic reply
        this is an automated reply
        this is an automatic response
        this is an automated response
        this is an automatic message
        this is an automated message
        this is an automatically generated message
        i am ... out of (the) office ... until
        i am ... out of (the) office ... returning
        i am ... away ... until
        i am ... away this week and
        i am ... on ... leave ... until
        i am ... on ... leave and will
        i am ... on vacation ... until
        i am ... on vacation ... through
        i am ... on holiday ... until
        i am ... on pto ... until
        im ... out of (the) office ... until
        im ... away ... until
        im ... on ... leave ... until
        im ... on vacation ... until
        im ... on vacation ... through
        i will be ... out of (the) office
        i will be ... on vacation ... until
        will reply when i return
        will respond when i return
        will have limited access to
        will have no access to
        out of office auto reply
        mailbox is not monitored
        inbox is not monitored
        do not reply to this email
        do not reply to this e mail
        do not reply to this message
        thank you for your ... get back to you
        thank you for your ... will respond
        thank you for your ... will reply
        thank you for contacting ... will respond
        thank you for contacting ... will get back to you
        thanks for contacting ... will get back to you
        thanks for reaching out ... will get back to you
        thanks for reaching out ... get back to you
        im driving right now
        """,
    ),
    (
        Language.PT,
        Match.START,
        """
        resposta automatica
        resposta automatizada
        mensagem automatica
        email automatico
        e mail automatico
        fora do escritorio
        ausencia temporaria
        ausente do escritorio
        """,
    ),
    (
        Language.PT,
        Match.ANYWHERE,
        """
        e uma resposta automatica
        e uma mensagem automatica
        e um email automatico
        estou de ferias ... ate
        estou em ferias ... ate
        estou de ferias ... a partir
        estou fora do escritorio ... ate
        estou fora do escritorio de
        estou de licenca ... ate
        estou em licenca ... ate
        estou ausente ... ate
        estarei ausente
        estarei de ferias
        estarei fora do escritorio
        encontro me ausente
        encontro me de ferias
        me encontro ausente
        me encontro de ferias
        no momento nao estou disponivel
        nao estou disponivel no momento
        retorno assim que possivel
        retornaremos assim que possivel
        retornaremos o contato
        retornaremos em breve
        responderemos assim que possivel
        responderei assim que possivel
        o mais breve possivel
        em breve retornaremos
        favor nao responder
        nao responda este email
        nao responda este e mail
        nao responda esta mensagem
        nao responda a este email
        """,
    ),
    (
        Language.ES,
        Match.START,
        """
        respuesta automatica
        mensaje automatico
        correo automatico
        fuera de (la) oficina
        """,
    ),
    (
        Language.ES,
        Match.ANYWHERE,
        """
        es una respuesta automatica
        es un mensaje automatico
        es un correo automatico
        estoy de vacaciones ... hasta
        estoy de licencia ... hasta
        estoy fuera de la oficina ... hasta
        estoy ausente ... hasta
        estare ausente
        estare de vacaciones
        estare fuera de la oficina
        no estoy disponible en este momento
        en este momento no estoy disponible
        le responderemos
        te responderemos
        lo antes posible
        por favor no responda
        no responda a este mensaje
        no responda a este correo
        """,
    ),
]


def default_phrases() -> Iterator[DefaultPhrase]:
    """Yield the phrases, without repetitions."""
    seen = set()
    for row in _rows():
        if row not in seen:
            seen.add(row)
            yield row


def _rows() -> Iterator[DefaultPhrase]:
    for language, name, words in WORD_LISTS:
        for word in words.split(","):
            yield DefaultPhrase(Reading.WORD, language, " ".join(word.split()), word_list=name)
    for reading, language, block in WHOLE_TEXTS:
        for phrase in _lines(block):
            yield DefaultPhrase(reading, language, phrase)
    for language, match, block in AUTOMATIC:
        for phrase in _lines(block):
            yield DefaultPhrase(Reading.AUTO_REPLY, language, phrase, match)


def _lines(block: str) -> list[str]:
    return [line.strip() for line in block.strip().splitlines()]


def create_default_phrases(*, apps: Apps = installed, **_signal: object) -> None:
    """Fill an empty table after `migrate`. apps: the app registry of the migrated state."""
    try:
        model = apps.get_model("engagement", "ReplyPhrase")
    except LookupError:
        # A reverse migration has dropped the table.
        return
    if not model.objects.exists():
        model.objects.bulk_create([model(**row._asdict()) for row in default_phrases()])
