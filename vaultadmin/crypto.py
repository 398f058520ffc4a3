"""Encryption at rest: AES-256-GCM with key ids, every value bound to the place it belongs to.

A sealed value reads `v1:kid:nonce:ciphertext`. The caller's context (for example "secret:<id>:<purpose>") is
authenticated with it, so a ciphertext copied to another row, column or vault does not open there. Knows no Django
models: the keyring comes from an environment value or a file, newest key first.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION: Final = "v1"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class CryptoError(Exception):
    """Something about keys or sealed values; the message is one sentence and never holds a secret."""


class KeyringError(CryptoError):
    """The keyring is missing, unreadable, readable by others or malformed: the caller must not start."""


class KeyMissing(CryptoError):
    """The value was sealed with a key this keyring does not hold."""


class Tampered(CryptoError):
    """The value was changed, or it was sealed for another place."""


@dataclass(frozen=True)
class Keyring:
    """Keys by id, newest first. Immutable: rotation makes a new keyring and saves it over the file."""

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys:
            raise KeyringError("The keyring holds no key.")
        if len({key_id for key_id, _ in self.keys}) != len(self.keys):
            raise KeyringError("The keyring names the same key id twice.")

    @classmethod
    def generate(cls) -> Self:
        return cls(keys=(_new_key(),))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `kid:base64key` entries, newest first, separated by commas or line breaks."""
        entries = [entry.strip() for entry in re.split(r"[,\n]", text)]
        return cls(keys=tuple(_parse_entry(entry) for entry in entries if entry))

    @classmethod
    def from_env_or_file(cls, path: Path, env_value: str | None, *, must_exist: bool = False) -> Self:
        """The environment's keyring if set, else the file's. Without either one a new file is made, unless
        `must_exist` says that encrypted data already waits for a keyring that is now gone."""
        if env_value and env_value.strip():
            return cls.parse(env_value)
        if not path.exists():
            if must_exist:
                raise KeyringError(
                    f"The keyring {path} is missing: restore it or set VAULTADMIN_ENCRYPTION_KEYS before starting."
                )
            _publish(path, cls.generate().dump())
        return cls.parse(_read_private(path))

    def dump(self) -> str:
        """The text `parse` reads. Secret."""
        return "".join(f"{key_id}:{base64.b64encode(key).decode()}\n" for key_id, key in self.keys)

    def save(self, path: Path) -> None:
        """Replace the keyring file in one step, so that a reader sees the old or the new one, never half."""
        draft = _write_draft(path, self.dump())
        draft.replace(path)

    def with_new_key(self) -> Self:
        """First step of a rotation: seals with a fresh key, still opens everything older."""
        return type(self)(keys=(_new_key(), *self.keys))

    @property
    def current_key_id(self) -> str:
        return self.keys[0][0]

    def seal(self, plaintext: str, *, context: str) -> str:
        """Encrypt with the newest key, for one place only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        ciphertext = self._ciphers[self.current_key_id].encrypt(nonce, plaintext.encode(), context.encode())
        return ":".join((VERSION, self.current_key_id, _encode(nonce), _encode(ciphertext)))

    def open(self, token: str, *, context: str) -> str:
        """Decrypt a sealed value in the place it was sealed for; KeyMissing or Tampered otherwise."""
        key_id, nonce, ciphertext = _take_apart(token)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise KeyMissing(f"The encryption key {key_id} is not in the keyring.")
        try:
            return cipher.decrypt(nonce, ciphertext, context.encode()).decode()
        except InvalidTag as error:
            raise Tampered("The encrypted value was changed or belongs to another place.") from error

    def reseal(self, token: str, *, context: str) -> str:
        """The same value under the newest key; a value that already has it comes back unchanged."""
        if not self.needs_reseal(token):
            return token
        return self.seal(self.open(token, context=context), context=context)

    def needs_reseal(self, token: str) -> bool:
        return key_id_of(token) != self.current_key_id

    @cached_property
    def _ciphers(self) -> dict[str, AESGCM]:
        return {key_id: AESGCM(key) for key_id, key in self.keys}


def key_id_of(token: str) -> str:
    """Which key sealed this value; Tampered if it is not a sealed value at all."""
    return _take_apart(token)[0]


def _new_key() -> tuple[str, bytes]:
    return secrets.token_hex(4), secrets.token_bytes(_KEY_BYTES)


def _parse_entry(entry: str) -> tuple[str, bytes]:
    key_id, separator, encoded = entry.partition(":")
    if not separator or not _KEY_ID.fullmatch(key_id):
        raise KeyringError("Each entry of the keyring must read kid:base64key.")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise KeyringError(f"The key {key_id} in the keyring is not base64.") from error
    if len(key) != _KEY_BYTES:
        raise KeyringError(f"The key {key_id} in the keyring must be {_KEY_BYTES} bytes long.")
    return key_id, key


def _read_private(path: Path) -> str:
    """Read the keyring through one descriptor, so that what was judged is what is read."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyringError(f"The keyring {path} is not a regular file.")
            if status.st_mode & 0o077:
                raise KeyringError(f"The keyring {path} can be read by other users: run chmod 600 on it.")
            return file.read().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyringError(f"The keyring {path} cannot be read.") from error


def _publish(path: Path, text: str) -> None:
    """Put a complete file in place; when another process was first, its file stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _write_draft(path, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # several processes start at once: all of them go on to read the winner's keyring
    finally:
        draft.unlink()


def _write_draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _take_apart(token: str) -> tuple[str, bytes, bytes]:
    parts = token.split(":")
    if len(parts) != 4 or parts[0] != VERSION or not _KEY_ID.fullmatch(parts[1]):
        raise Tampered("The value is not an encrypted value.")
    nonce, ciphertext = _decode(parts[2]), _decode(parts[3])
    if len(nonce) != _NONCE_BYTES or len(ciphertext) < _TAG_BYTES:
        raise Tampered("The encrypted value is cut short.")
    return parts[1], nonce, ciphertext


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise Tampered("The encrypted value was changed.") from error
    # Base64 ignores unused bits: without this two spellings would open to the same value.
    if _encode(raw) != text:
        raise Tampered("The encrypted value was changed.")
    return raw
