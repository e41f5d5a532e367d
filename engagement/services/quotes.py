"""Finds what a person wrote in a reply by e-mail: without the quoted message, the signature and the disclaimer.

Quotes are recognised above, below and between the lines of the reply, with the headers of Gmail, Apple Mail,
Thunderbird, Yahoo and Outlook in English, Portuguese and Spanish.
"""

import re
from collections.abc import Sequence

# Longer texts are cut: the reply is at one of the ends of what a person reads.
LONGEST = 20_000
# A header of a quote is wrapped into so many lines at most.
WRAPPED_LINES = 4
# The parts of an Outlook header follow each other within so many lines.
OUTLOOK_LINES = 5
# A signature has so many lines at most.
SIGNATURE_LINES = 8

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_QUOTED = re.compile(r"^\s{0,3}[>|]")
# "On 1 December 2026 at 09:00, Community <a@b.org> wrote:", "Em ter., 1 de dez. de 2026 às 09:00, … escreveu:",
# "El mar, 1 dic 2026 a las 9:00, … escribió:", "Comunidade <a@b.org> escreveu no dia terça, 1/12/2026 à(s) 09:00:".
_ATTRIBUTION = re.compile(
    r"^(?:(?:on|em|no dia|a|el|le)\b.{5,300}\b(?:wrote|escreveu|escribi[oó]|a [eé]crit)"
    r"|.{0,200}@.{0,200}\b(?:wrote|escreveu|escribi[oó])\b.{0,80}\d.{0,80})\s*:\s*$",
    re.IGNORECASE,
)
# The first words of such a line, before it is wrapped.
_ATTRIBUTION_START = re.compile(r"^(?:(?:on|em|no dia|a|el|le)\b.{0,60}\d|.{0,200}@)", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"^\s*(?:_{8,}|-{2,} ?(?:original message|mensagem original|mensaje original|forwarded message"
    r"|mensagem encaminhada|mensaje reenviado)\b.*|(?:begin forwarded message|início da mensagem encaminhada):)\s*$",
    re.IGNORECASE,
)
_OUTLOOK_FROM = re.compile(r"^[*\s]*(?:from|de|von)\s*:[*\s]*\S", re.IGNORECASE)
_OUTLOOK_NEXT = re.compile(
    r"^[*\s]*(?:sent|date|enviad[oa](?: em| el)?|data|fecha|to|para|subject|assunto|asunto)\s*:", re.IGNORECASE
)
_SIGNATURE = re.compile(r"^-- ?$|^—$")
_SENT_FROM = re.compile(
    r"^\s*(?:(?:sent|enviad[oa]) (?:from|via|with|d[oae]s?|desde|a partir d[oae]|por|pelo|com|con) .{0,80}"
    r"|(?:get|obter|obtenha(?: o)?|obtener|baixe(?: o)?) .{0,10}(?:outlook|yahoo|gmail)\b.{0,80})$",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"confidencia|confidential|privileged|destinat[aá]rio|intended (?:solely|only|recipient|for the)|antes de imprimir"
    r"|consider the environment",
    re.IGNORECASE,
)
# A line of contact data: an address, a link or a telephone number.
_CONTACT = re.compile(
    r"^\W*(?:\S+@\S+|(?:https?://|www\.)\S+|(?:tel|cel|fone|phone|mobile|m[oó]vil)?\W*[+(]?\d[\d\s().-]{6,})$", re.I
)


def unquoted(text: str, *, name: str = "") -> str:
    """Return what the sender wrote themselves; empty if everything is a quote.

    name: the display name of the sender, by which a signature without a delimiter is recognised.
    """
    text = _INVISIBLE.sub("", text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " "))
    lines = _without_quotes(text.split("\n"))
    lines = _without_signature(lines, name)
    return "\n".join(_without_disclaimer(lines)).strip()


def _without_quotes(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if _QUOTED.match(line):
            index += 1
        elif wrapped := _attribution(lines, index):
            index += wrapped
            following = next((each for each in lines[index:] if each.strip()), "")
            if following and not _QUOTED.match(following):
                # The quote has no marks: everything below is quoted.
                break
        elif _SEPARATOR.match(line) or _starts_outlook_header(lines, index):
            break
        elif _SIGNATURE.match(line):
            # What is below a signature is quoted or part of it, unless the reply is below the quote.
            index = _end_of_signature(lines, index)
        elif _SENT_FROM.match(line):
            index += 1
        else:
            kept.append(line)
            index += 1
    return kept


def _attribution(lines: Sequence[str], index: int) -> int:
    """Return how many lines the header of a quote has that starts here; 0 if none does."""
    if not _ATTRIBUTION_START.match(lines[index]):
        return 0
    for count in range(1, WRAPPED_LINES + 1):
        part = lines[index : index + count]
        if any(not each.strip() for each in part):
            return 0
        if _ATTRIBUTION.match(" ".join(each.strip() for each in part)):
            return count
    return 0


def _starts_outlook_header(lines: Sequence[str], index: int) -> bool:
    if not _OUTLOOK_FROM.match(lines[index]):
        return False
    following = [each for each in lines[index + 1 : index + 1 + OUTLOOK_LINES] if each.strip()]
    return sum(bool(_OUTLOOK_NEXT.match(each)) for each in following) >= 2


def _end_of_signature(lines: Sequence[str], index: int) -> int:
    """Return the index of the first line after a signature: a quote, or the end."""
    for place in range(index + 1, len(lines)):
        if _QUOTED.match(lines[place]) or _attribution(lines, place):
            return place
    return len(lines)


def _without_signature(lines: list[str], name: str) -> list[str]:
    """Remove a signature without a delimiter: from the line with the sender's name on, and contact data at the end."""
    while lines and (not lines[-1].strip() or _CONTACT.match(lines[-1].strip())):
        lines = lines[:-1]
    known = _words(name)
    filled = [place for place, line in enumerate(lines) if line.strip()]
    for place in filled[1:][-SIGNATURE_LINES:]:
        words = _words(lines[place])
        if known and words and words <= known:
            return lines[:place]
    return lines


def _words(text: str) -> set[str]:
    return {each.casefold() for each in re.findall(r"[^\W\d_]{2,}", text)}


def _without_disclaimer(lines: list[str]) -> list[str]:
    """Remove a paragraph of at least 80 characters about confidentiality, and what is below it; never the first one."""
    paragraph_start, seen_text = 0, False
    for place in range(len(lines) + 1):
        if place < len(lines) and lines[place].strip():
            continue
        paragraph = " ".join(lines[paragraph_start:place])
        if seen_text and len(paragraph) >= 80 and _DISCLAIMER.search(paragraph):
            return lines[:paragraph_start]
        seen_text = seen_text or bool(paragraph.strip())
        paragraph_start = place + 1
    return lines
