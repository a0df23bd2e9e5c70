"""Passwords: argon2id with argon2-cffi's defaults, which are those of RFC 9106, section 4 (second recommendation)."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from meit.errors import StationError

SHORTEST, LONGEST = 12, 128  # NIST SP 800-63B, section 5.1.1, asks for 8 and 64 at least, and for no other rule
_HASHER = PasswordHasher()


@cache
def nobody() -> str:
    """A hash that no password fits: an unknown login takes as long as a wrong password."""
    return _HASHER.hash(secrets.token_urlsafe(32))


def hash_password(password: str) -> str:
    """Raises StationError for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise StationError(f"a password has {SHORTEST} to {LONGEST} characters")
    return _HASHER.hash(password)


def fits(password: str, password_hash: str) -> bool:
    try:
        return len(password) <= LONGEST and _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with parameters that are no longer the default."""
    return _HASHER.check_needs_rehash(password_hash)
