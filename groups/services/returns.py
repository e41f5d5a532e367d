"""People who register although an account or an entry of theirs is there: they get it back, after a proof.

The registering person gets the same answer whatever is found. The proof is a link to the verified address of the old
account, or a manager's confirmation: always for banned people, deactivated accounts, and entries without an address.
"""

import smtplib
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app

from groups.errors import InvitationEnded, MailNotSent, ReturnDecided, ReturnLinkRejected, StaffNotReturned
from groups.models import CommunityInvitation, CommunityMember, CommunityReturn, Member, ReturnStatus
from groups.rules import (
    NO_TELEGRAM,
    RETURN_LINK_LASTS,
    CommunityStatus,
    InvitationStatus,
    no_telegram_id,
    normalize_username,
)
from groups.selectors.people import person_of_account, resolve_entry
from groups.services.account_mail import has_account_mail, return_mail
from groups.services.directory import checked_phone
from groups.services.passwords import queue_password_link
from groups.services.registration import find_invitation, use_invitation
from missionsite.common.accounts.addresses import add_unconfirmed_address, ensure_address, is_address_unconfirmed
from missionsite.common.accounts.sessions import end_access
from missionsite.common.audit.events import audit
from missionsite.common.passwords import set_password
from missionsite.common.transactions import service

TASK = "send_return_mail"
# The errors of a registration that an old account or entry causes.
COLLISIONS = frozenset({"email_taken", "telegram_id_taken"})
_DETAILS = (
    *("primary_role", "telegram_username", "organization", "country", "phone", "github_username"),
    *("locale", "timezone"),
)
_EMPTY: dict[str, Any] = {"name": "", "email": "", "telegram_id": "", "details": {}, "link_digest": None}


@service
def request_return(*, code: str, email: str, telegram_id: str, name: str, **details: Any) -> CommunityReturn | None:
    """Record a registration that collides with an old account or entry, and queue the e-mail about it.

    None if nothing is there any more. Registering again with the same invitation replaces what was entered.
    Raises CodeRejected.
    """
    invitation = find_invitation(code, lock=True)
    account, entry, is_clear = find_old_person(email=email, telegram_id=telegram_id)
    if account is None and entry is None:
        return None
    values = {
        "name": name.strip(),
        "email": email.strip(),
        "telegram_id": telegram_id.strip(),
        "details": {field: details.get(field) or "" for field in _DETAILS},
        "needs_manager": not is_clear or _needs_manager(account, entry),
        "link_digest": None,
    }
    made, _created = CommunityReturn.objects.update_or_create(
        invitation=invitation, entry=entry, account=account, status=ReturnStatus.OPEN, defaults=values
    )
    audit("return.requested", actor=Member.objects.system(), member=account, number=entry and entry.member_id)
    # Sent by a job in every case, so that the time of the answer says nothing.
    app.configure_task(TASK, allow_unknown=False, lock=f"{TASK}:{made.pk}").defer(return_id=str(made.pk))
    return made


def find_old_person(*, email: str, telegram_id: str) -> tuple[Member | None, CommunityMember | None, bool]:
    """Return the account and the entry of an e-mail or Telegram ID, and whether both are one person's.

    People who were merged are those they were merged into. The system member is nobody's.
    """
    account = Member.objects.filter(email__iexact=email.strip()).first()
    while account is not None and account.merged_into_id:
        account = Member.objects.get(pk=account.merged_into_id)
    entry = CommunityMember.objects.select_related("person").filter(telegram_id=telegram_id.strip() or None).first()
    entry = resolve_entry(entry) if entry else None
    if account is None:
        return (entry.person, entry, True) if entry else (None, None, True)
    own = person_of_account(account).entry
    return account, own or (entry if entry and entry.person_id is None else None), entry in (None, own)


def _is_member(account: Member | None, entry: CommunityMember | None) -> bool:
    """Whether the person can log in and is in the directory, so that there is nothing to give back."""
    if account is None or not account.is_active or not account.has_usable_password():
        return False
    return account.is_staff or (entry is not None and not entry.is_removed and entry.status != "not_member")


def _needs_manager(account: Member | None, entry: CommunityMember | None) -> bool:
    """Whether no link may be sent: without a verified address, for banned people, staff and closed accounts."""
    if account is None or not account.is_active or account.is_staff or account.is_system:
        return True
    if entry is not None and (entry.status == CommunityStatus.BANNED or entry.erased_at):
        return True
    return _is_member(account, entry) or is_address_unconfirmed(account)


@service
def _new_link(*, return_id: str) -> tuple[CommunityReturn, str] | None:
    """Give an open return a new secret; None if it is decided. The secret is empty if a manager must confirm."""
    case = CommunityReturn.objects.select_for_update(of=("self",)).select_related("account", "entry").get(pk=return_id)
    if case.status != ReturnStatus.OPEN:
        return None
    if case.needs_manager:
        return case, ""
    secret = token_urlsafe(32)
    case.link_digest, case.link_expires_at = _digest(secret), timezone.now() + RETURN_LINK_LASTS
    case.save(update_fields=["link_digest", "link_expires_at"])
    return case, secret


def send_return_mail(*, return_id: str) -> str:
    """The job: send the link, or tell a member that they have an account. A repeated run sends another link.

    Returns the outcome. Raises MailNotSent, so that the job is repeated.
    """
    found = _new_link(return_id=return_id)
    if found is None:
        return "decided"
    case, secret = found
    language = _language(case)
    if secret and case.account:
        mail = return_mail(case.account, secret, language)
    elif case.account and _is_member(case.account, case.entry):
        mail = has_account_mail(case.account, language)
    else:
        return "manager"
    try:
        mail.send()
    except (OSError, smtplib.SMTPException) as error:
        raise MailNotSent from error
    return "link" if secret else "has_account"


def find_return(secret: str) -> CommunityReturn:
    """Return the open case of a link. Raises ReturnLinkRejected, the same for unknown, used and expired links."""
    case = CommunityReturn.objects.select_related("account").filter(link_digest=_digest(secret)).first()
    if case is None or case.link_expires_at is None or case.link_expires_at <= timezone.now():
        raise ReturnLinkRejected
    return case


@service
def accept_by_link(*, secret: str, password: str) -> Member:
    """Give the old entry back to whoever opened the link, with a new password.

    Raises ReturnLinkRejected, InvitationEnded, ConstraintViolated.
    """
    case = find_return(secret)
    assert case.account
    account = _accept(case, actor=case.account, by=None)
    set_password(actor=account, member=account, password=password)
    ensure_address(account)
    # Whoever knew the old password may still use the account.
    end_access(actor=account, member=account, reason="password")
    return account


@service
def confirm_return(*, actor: Member, case: CommunityReturn) -> Member:
    """Give the old entry back because a manager knows the person, with the e-mail that they entered.

    They get a link to set a password. Raises ReturnDecided, StaffNotReturned, ConstraintViolated.
    """
    language = _language(case)
    account = _accept(case, actor=actor, by=actor)
    queue_password_link(actor=actor, member=account, language=language)
    return account


@service
def decline_return(*, actor: Member, case: CommunityReturn, reason: str = "") -> CommunityReturn:
    """Decline a return; the old entry stays as it is, and the invitation works. Raises ReturnDecided."""
    current = _lock_open(case)
    _decide(current, ReturnStatus.DECLINED, by=actor)
    audit("return.declined", actor=actor, member=current.account, number=current.entry_id, reason=reason)
    return current


def _accept(case: CommunityReturn, *, actor: Member, by: Member | None) -> Member:
    invitation = CommunityInvitation.objects.select_for_update(of=("self",)).get(pk=case.invitation_id)
    # Locked in the order of a registration, so that two decisions wait for each other.
    entry = CommunityMember.objects.lock(case.entry.pk) if case.entry else None
    account = Member.objects.lock(case.account_id) if case.account_id else None
    current = _lock_open(case)
    if account is not None and (account.is_staff or account.is_superuser or account.is_system):
        raise StaffNotReturned
    typed = {name: getattr(current, name) for name in ("name", "email", "telegram_id")} | current.details
    if by is None and (current.link_expires_at is None or current.link_expires_at <= timezone.now()):
        raise ReturnLinkRejected
    if account is None:
        account = Member.objects.create_user(typed["email"], None, display_name=typed["name"])
        add_unconfirmed_address(account)
    elif by is not None:
        _change_account(account, typed["email"])
    if entry is None:
        # Of another account, if it got one meanwhile.
        entry = CommunityMember.objects.filter(person=account).first()
    decided = {"account": account, "entry": entry}
    if entry is None:
        decided["entry"] = entry = _new_entry(account, typed, invitation)
    _decide(current, ReturnStatus.ACCEPTED, by=by, **decided)
    _restore(entry, account, typed, invitation)
    if invitation.status == InvitationStatus.PENDING:
        if not invitation.registrations.filter(member=entry).exists():
            use_invitation(invitation, entry)
    elif by is None and invitation.status != InvitationStatus.EXPIRED:
        raise InvitationEnded
    others = CommunityReturn.objects.filter(Q(account=account) | Q(entry=entry), status=ReturnStatus.OPEN)
    others.update(
        status=ReturnStatus.DECLINED, decided_at=TransactionNow(), decided_by=Member.objects.system(), **_EMPTY
    )
    audit("return.accepted", actor=actor, member=account, number=entry.member_id, by="staff" if by else "link")
    return account


def _lock_open(case: CommunityReturn) -> CommunityReturn:
    current = CommunityReturn.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if current.status != ReturnStatus.OPEN:
        raise ReturnDecided
    return current


def _decide(case: CommunityReturn, status: ReturnStatus, *, by: Member | None, **links: Any) -> None:
    CommunityReturn.objects.filter(pk=case.pk).update(
        status=status, decided_at=TransactionNow(), decided_by=by, **links, **_EMPTY
    )
    case.refresh_from_db()


def _change_account(account: Member, email: str) -> None:
    """Open a closed account, with the address that the person uses now, unless it is another account's."""
    changed = []
    if not account.is_active:
        account.is_active = True
        changed.append("is_active")
    if account.email.lower() != email.lower() and not Member.objects.filter(email__iexact=email).exists():
        account.email = Member.objects.normalize_email(email)
        changed.append("email")
    if changed:
        account.save(update_fields=changed)
    if "email" in changed:
        add_unconfirmed_address(account)


def _new_entry(account: Member, typed: dict[str, str], invitation: CommunityInvitation) -> CommunityMember:
    """Make the entry of an account that has none, as a registration does."""
    made = CommunityMember.objects.create(
        person=account,
        name=typed["name"],
        primary_role=typed["primary_role"] or "other",
        telegram_id=typed["telegram_id"] or no_telegram_id(account.member_id),
        telegram_username=normalize_username(typed["telegram_username"]) or None,
        organization=typed["organization"] or None,
        country=typed["country"] or None,
        phone=checked_phone(typed.get("phone"), typed["country"]),
        github_username=normalize_username(typed["github_username"]) or None,
        status=CommunityStatus.PENDING,
        invited_by_id=invitation.created_by_id,
    )
    made.refresh_from_db()
    return made


def _restore(entry: CommunityMember, account: Member, typed: dict[str, str], invitation: CommunityInvitation) -> None:
    """Bring an entry back: those who were removed or banned wait for approval again, a suspension stays."""
    was_removed, changed = entry.is_removed, []
    if was_removed:
        entry.deleted_at = None
        changed.append("deleted_at")
    if entry.person_id is None:
        entry.person = account
        changed.append("person")
    if typed["telegram_id"] and entry.telegram_id.startswith(NO_TELEGRAM):
        entry.telegram_id = typed["telegram_id"]
        changed.append("telegram_id")
    if entry.invited_by_id is None and invitation.created_by_id != entry.member_id:
        entry.invited_by_id = invitation.created_by_id
        changed.append("invited_by")
    again = (CommunityStatus.BANNED, CommunityStatus.NOT_MEMBER)
    if entry.status in again or (was_removed and entry.status == CommunityStatus.ACTIVE):
        entry.status = CommunityStatus.PENDING
        changed.append("status")
    if changed:
        entry.save(update_fields=changed)


def _language(case: CommunityReturn) -> str:
    """The language in which the person registered."""
    return "pt-br" if case.details.get("locale") == "pt-BR" else "en"


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
