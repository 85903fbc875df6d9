"""Who may log in, and what each role may do.

Passwords are kept as argon2id, session tokens as SHA-256, failed log-ins under hashed names; a name that nobody has is
answered like a wrong password, in the same time.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from callanalytics.errors import UserError
from callanalytics.store.reviews.reviews import Reviews
from callanalytics.store.reviews.tables import Attempt, Session, User, UserRole
from callanalytics.texts import Message

Right = Literal[
    "see", "sensitive", "judge", "contest", "settle", "sample", "calibrate", "plan", "gate", "people", "ledger"
]
_TEAM: frozenset[Right] = frozenset({"see", "judge", "contest", "calibrate"})
RIGHTS: Mapping[str, frozenset[Right]] = {
    "agent": frozenset({"see", "contest"}),  # of the own calls alone
    "reviewer": _TEAM,
    "lead": _TEAM | {"sensitive", "settle", "sample", "plan", "gate"},
    "privacy_officer": frozenset({"ledger"}),
    "admin": frozenset({"people"}),  # who gives rights needs no calls
}
MIN_PASSWORD = 12  # NIST SP 800-63B asks for 8 at least where nothing else proves who it is; longer costs nobody much
TRIES, TRIES_WINDOW = 5, timedelta(minutes=15)
NAME = re.compile(r"[\w.@+-]{1,80}")
_hasher = PasswordHasher()  # argon2id as RFC 9106 advises where memory is short: 64 MiB, 3 passes
_trying = Lock()
_NOBODY = _hasher.hash(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Person:
    """Who is logged in; `csrf` goes into every form."""

    id: int
    name: str
    role: str
    agent_ref: str | None
    lang: str
    csrf: str = ""

    def may(self, right: Right) -> bool:
        """Return whether this person's role has a right."""
        return right in RIGHTS.get(self.role, frozenset())


def add_user(
    reviews: Reviews, name: str, password: str | None, role: UserRole, agent_ref: str | None = None, lang: str = "nl"
) -> None:
    """Let somebody in.  Raises UserError for a name that is taken or odd, a short password, an agent without a ref."""
    if not NAME.fullmatch(name):
        raise UserError(reason=Message("errors.user_odd_name"))
    if password is not None and len(password) < MIN_PASSWORD:
        raise UserError(reason=Message("errors.user_short", n=MIN_PASSWORD))
    if (role == "agent") != bool(agent_ref):
        raise UserError(reason=Message("errors.user_agent"))
    hashed = _hasher.hash(password) if password is not None else None
    made = datetime.now(UTC)
    try:
        with reviews.saving() as orm:
            orm.add(User(name=name, password=hashed, role=role, agent_ref=agent_ref, lang=lang, made_at=made))
    except IntegrityError:
        raise UserError(reason=Message("errors.user_taken")) from None


def change_user(
    reviews: Reviews,
    name: str,
    *,
    password: str | None = None,
    is_disabled: bool | None = None,
    role: UserRole | None = None,
) -> None:
    """Give a new password or role, shut somebody out or let them in again; ends their sessions.

    Raises UserError; so it does when nobody would be left who may let people in.
    """
    if password is not None and len(password) < MIN_PASSWORD:
        raise UserError(reason=Message("errors.user_short", n=MIN_PASSWORD))
    values: dict[str, object] = {}
    if password is not None:
        values["password"] = _hasher.hash(password)
    if is_disabled is not None:
        values["disabled_at"] = datetime.now(UTC) if is_disabled else None
    with reviews.saving() as orm:
        user = orm.scalar(select(User).where(User.name == name))
        if user is None:
            raise UserError(reason=Message("errors.user_unknown"))
        if role is not None and role != user.role:
            if "agent" in (role, user.role):
                raise UserError(reason=Message("errors.user_agent_stays"))
            values["role"] = role
        others = select(func.count()).select_from(User).where(User.role == "admin", User.id != user.id)
        is_last = user.role == "admin" and not orm.scalar(others.where(User.disabled_at.is_(None)))
        if is_last and not user.disabled_at and (is_disabled or values.get("role")):
            raise UserError(reason=Message("errors.user_last_admin"))
        if values:
            orm.execute(update(User).where(User.id == user.id).values(**values))
            orm.execute(delete(Session).where(Session.user_id == user.id))


def users(reviews: Reviews) -> list[User]:
    """Everybody, by name."""
    with reviews.reading() as orm:
        return list(orm.scalars(select(User).order_by(User.name)))


def log_in(reviews: Reviews, name: str, password: str, origin: str) -> str | None:
    """Return a new session's token for the right name and password; None otherwise, and after too many tries.

    Both the name and the place it is tried from may fail TRIES and 10 x TRIES times in TRIES_WINDOW.
    """
    # One at a time: many at once would be tried before the first failure is kept, each taking the hasher's memory.
    with _trying:
        return _try(reviews, name, password, origin)


def _try(reviews: Reviews, name: str, password: str, origin: str) -> str | None:
    now = datetime.now(UTC)
    keys = {_hash(f"name:{name}"): TRIES, _hash(f"from:{origin}"): 10 * TRIES}
    with reviews.reading() as orm:
        for key, most in keys.items():
            count = select(func.count()).select_from(Attempt)
            if (orm.scalar(count.where(Attempt.who == key, Attempt.at > now - TRIES_WINDOW)) or 0) >= most:
                return None
        user = orm.scalar(select(User).where(User.name == name, User.disabled_at.is_(None)))
    if _fits(user.password if user else None, password) and user:
        return _begin(reviews, user.id)
    with reviews.saving() as orm:
        orm.execute(delete(Attempt).where(Attempt.at < now - TRIES_WINDOW))
        orm.add_all(Attempt(who=key, at=now) for key in keys)
    return None


def log_in_by_proxy(reviews: Reviews, name: str) -> str | None:
    """Return a session for whom a trusted proxy has let in; None for a name that nobody here has."""
    with reviews.reading() as orm:
        user = orm.scalar(select(User).where(User.name == name, User.disabled_at.is_(None)))
    return _begin(reviews, user.id) if user else None


def person_of(reviews: Reviews, token: str, session_hours: float) -> Person | None:
    """Return who holds a session's token; None when it is unknown or has not been used for `session_hours`."""
    now = datetime.now(UTC)
    with reviews.reading() as orm:
        row = orm.execute(
            select(Session, User).join(User, User.id == Session.user_id).where(Session.token == _hash(token))
        ).first()
    if row is None:
        return None
    session, user = row
    if user.disabled_at or now - session.seen_at > timedelta(hours=session_hours):
        return None
    if now - session.seen_at > timedelta(minutes=1):  # not a write for every picture of a page
        with reviews.saving() as orm:
            orm.execute(update(Session).where(Session.token == session.token).values(seen_at=now))
    return Person(user.id, user.name, user.role, user.agent_ref, user.lang, session.csrf)


def log_out(reviews: Reviews, token: str) -> None:
    """End a session."""
    with reviews.saving() as orm:
        orm.execute(delete(Session).where(Session.token == _hash(token)))


def _begin(reviews: Reviews, user_id: int) -> str:
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    with reviews.saving() as orm:
        orm.execute(delete(Session).where(Session.seen_at < now - timedelta(days=7)))
        orm.add(
            Session(token=_hash(token), user_id=user_id, csrf=secrets.token_urlsafe(32), made_at=now, seen_at=now)
        )
    return token


def _fits(hashed: str | None, password: str) -> bool:
    try:
        return _hasher.verify(hashed or _NOBODY, password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
