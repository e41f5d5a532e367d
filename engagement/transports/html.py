"""The HTML part of an e-mail, made from its text: the same words, in a column that fits a phone."""

from django.template.loader import render_to_string

from engagement.transports.base import Outgoing


def html_part(message: Outgoing) -> str:
    """Return the HTML part of a message: paragraphs and links; the unsubscribe link below a line."""
    text, footer = message.body, ""
    paragraphs = text.rstrip().rsplit("\n\n", 1)
    if message.unsubscribe_url and len(paragraphs) == 2 and message.unsubscribe_url in paragraphs[1]:
        text, footer = paragraphs
    return render_to_string("engagement/email.html", {"message": message, "text": text, "footer": footer})
