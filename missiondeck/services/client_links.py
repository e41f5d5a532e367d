"""The page of a client: links to it, comments on it, and signatures confirmed by a code."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta

from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from groups.models import Member
from missiondeck.errors import CodeWrong, TooManyCodes, TooManyComments, TooManyLinks
from missiondeck.models import ClientCode, ClientComment, ClientLink, ClientSignature, DeckMission
from missiondeck.rules import CODE_ATTEMPTS, CODE_MINUTES, CODES_PER_HOUR, COMMENTS_PER_HOUR, MAX_LINK_DAYS, MAX_LINKS
from missiondeck.selectors.clients import facts_of
from missiondeck.services.notices import record_mentions
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service


@service
def create_client_link(
    *,
    actor: Member,
    mission: DeckMission,
    name: str,
    email: str = "",
    days: int = 90,
    hides_deadline: bool = False,
    hides_evidence: bool = False,
    hides_tests: bool = False,
    hides_budget: bool = False,
) -> tuple[ClientLink, str]:
    """Create a link to the page of a mission. Returns it with its secret, which is not stored.

    Raises TooManyLinks, ConstraintViolated (name_missing, link_expiry_out_of_range).
    """
    if not 1 <= days <= MAX_LINK_DAYS:
        raise violated("deck_client_links_expiry_range", field="days")
    DeckMission.objects.lock(mission.pk, no_key=True)
    now = timezone.now()
    if ClientLink.objects.filter(mission=mission, revoked_at=None, expires_at__gt=now).count() >= MAX_LINKS:
        raise TooManyLinks
    secret = secrets.token_urlsafe(32)
    link = ClientLink.objects.create(
        mission=mission,
        name=name.strip(),
        email=email.strip(),
        expires_at=now + timedelta(days=days),
        hides_deadline=hides_deadline,
        hides_evidence=hides_evidence,
        hides_tests=hides_tests,
        hides_budget=hides_budget,
        digest=_digest(secret),
        created_by=actor,
    )
    audit("client_link.created", actor=actor, client_mission=mission.number, link=str(link.pk), name=link.name)
    return ClientLink.objects.get(pk=link.pk), secret


@service
def revoke_client_link(*, actor: Member, link: ClientLink) -> ClientLink:
    """Revoke a link permanently."""
    if ClientLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now()):
        number = link.mission.number
        audit("client_link.revoked", actor=actor, client_mission=number, link=str(link.pk), name=link.name)
    link.refresh_from_db()
    return link


@service
def read_client_link(*, secret: str) -> ClientLink | None:
    """The link of a secret, with last_read_at set; None if it is unknown, revoked or expired."""
    link = ClientLink.objects.select_related("mission").filter(digest=_digest(secret)).first()
    if link is None or not link.is_valid:
        return None
    now = timezone.now()
    if link.last_read_at is None or link.last_read_at < now - timedelta(minutes=1):
        ClientLink.objects.filter(pk=link.pk).update(last_read_at=now)
    return link


@service
def add_client_comment(*, actor: Member, link: ClientLink, text: str) -> ClientComment:
    """Add a comment of the client; the same text again at once is one comment.

    actor: the system member, because clients have no account. Raises TooManyComments, ConstraintViolated
    (comment_missing).
    """
    ClientLink.objects.lock(link.pk, no_key=True)
    text = text.strip()
    recent = ClientComment.objects.filter(link=link, created_at__gt=timezone.now() - timedelta(hours=1))
    last = recent.order_by("-created_at").first()
    if last is not None and last.text == text:
        return last
    if recent.count() >= COMMENTS_PER_HOUR:
        raise TooManyComments
    made = ClientComment.objects.create(link=link, text=text)
    audit("client_comment.created", actor=actor, client_mission=link.mission.number, link=str(link.pk))
    record_mentions(actor=actor, mission=link.mission, text=text, subject=str(made.pk), payload={"client": True})
    return made


@service
def send_client_code(*, actor: Member, link: ClientLink, message: Callable[[str], tuple[str, str]]) -> ClientCode:
    """Send a code to the address of a link; it replaces the codes before it.

    message: returns subject and text for a code. Raises TooManyCodes, CodeWrong for a link without an address.
    """
    ClientLink.objects.lock(link.pk, no_key=True)
    if not link.may_sign:
        raise CodeWrong
    since = timezone.now() - timedelta(hours=1)
    if ClientCode.objects.filter(link=link, created_at__gt=since).count() >= CODES_PER_HOUR:
        raise TooManyCodes
    code = f"{secrets.randbelow(10**8):08}"
    made = ClientCode.objects.create(link=link, digest=_code_digest(link, code))
    audit("client_code.sent", actor=actor, client_mission=link.mission.number, link=str(link.pk))
    subject, text = message(code)
    transaction.on_commit(lambda: send_mail(subject, text, None, [link.email]))
    return made


def sign_delivery(*, actor: Member, link: ClientLink, name: str, code: str) -> ClientSignature:
    """Sign the delivery as it is shown now, confirmed by the last code that was sent.

    Raises CodeWrong for a wrong, used or expired code, and after too many attempts; ConstraintViolated (name_missing).
    """
    # A wrong attempt is counted although the signature is rejected, so it is a transaction of its own.
    if (signature := _sign(actor=actor, link=link, name=name, code=code)) is None:
        raise CodeWrong
    return signature


@service
def _sign(*, actor: Member, link: ClientLink, name: str, code: str) -> ClientSignature | None:
    ClientLink.objects.lock(link.pk, no_key=True)
    last = ClientCode.objects.filter(link=link).order_by("-created_at", "-pk").first()
    is_open = (
        last is not None
        and last.used_at is None
        and last.attempts < CODE_ATTEMPTS
        and last.created_at > timezone.now() - timedelta(minutes=CODE_MINUTES)
    )
    if last is None or not is_open:
        return None
    if not constant_time_compare(last.digest, _code_digest(link, "".join(code.split()))):
        last.attempts += 1
        last.save(update_fields=["attempts"])
        return None
    last.used_at = timezone.now()
    last.save(update_fields=["used_at"])
    signature = ClientSignature.objects.create(
        link=link, name=name.strip(), email=link.email, facts=facts_of(link.mission, link)
    )
    audit("client_signature.created", actor=actor, client_mission=link.mission.number, link=str(link.pk))
    return ClientSignature.objects.get(pk=signature.pk)


def _code_digest(link: ClientLink, code: str) -> str:
    """Keyed, because a code has few digits."""
    return salted_hmac("missiondeck.client_code", f"{link.pk}:{code}", algorithm="sha256").hexdigest()


def _digest(secret: str) -> str:
    """The SHA-256 digest of a secret. A random value of 256 bits needs no salt."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
