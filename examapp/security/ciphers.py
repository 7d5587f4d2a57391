"""Personal numbers at rest: sealed with AES-256-GCM or SM4-GCM, bound to their row, found again by a keyed blind index."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from enum import StrEnum

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from examapp.config import read_data_keys

log = structlog.get_logger()
_NONCE_BYTES = 12
_TAG_BYTES = 16


class CipherName(StrEnum):
    """The ciphers that seal, as the setting DATA_CIPHER names them."""

    AES = "aes-256-gcm"
    SM4 = "sm4-gcm"
    """The commercial cipher of GB/T 32907, in the mode of RFC 8998; its 128-bit key is derived from the one in the setting."""


class DecryptionError(Exception):
    """The sealed value was moved to another row, changed, or its key is missing."""


@dataclass(frozen=True, slots=True)
class FieldCipher:
    """Seals and opens values; `keys` by key id, the first one seals and indexes, all of them open and find."""

    keys: dict[str, bytes]
    cipher: CipherName = CipherName.AES

    @classmethod
    def from_setting(cls, data_keys: str, cipher: str = CipherName.AES) -> FieldCipher:
        """Read the settings DATA_KEYS, `id:64 hex digits` separated by commas, and DATA_CIPHER; raises SettingsError."""
        return cls(read_data_keys(data_keys), CipherName(cipher))

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))

    @property
    def current_head(self) -> bytes:
        """The first bytes of every envelope that is sealed now: cipher and key id, ended by 0. Another head is an older seal."""
        cipher = "" if self.cipher is CipherName.AES else f"{self.cipher}:"
        return f"{cipher}{self.current}".encode() + b"\0"

    def seal(self, plain: str, *, associated_data: str) -> bytes:
        """Seal a value for one row: `[cipher:]key id, 0, nonce, ciphertext with tag`; without a cipher's name it is AES."""
        nonce = os.urandom(_NONCE_BYTES)
        encrypt = _encrypt_aes if self.cipher is CipherName.AES else _encrypt_sm4
        ciphertext = encrypt(self.keys[self.current], nonce, plain.encode(), associated_data.encode())
        return self.current_head + nonce + ciphertext

    def decrypt(self, envelope: bytes, *, associated_data: str) -> str:
        """Open a sealed value; raises DecryptionError, with an alarm in the log that names the row and no content."""
        try:
            return self._open(envelope, associated_data.encode())
        except DecryptionError as error:
            log.error("seal_broken", associated_data=associated_data, reason=str(error))  # noqa: TRY400 – the stack says nothing more
            raise

    def open_if_sound(self, envelope: bytes, *, associated_data: str) -> str | None:
        """Open a sealed value that comes from outside; None, without an alarm, where it is none of ours."""
        try:
            return self._open(envelope, associated_data.encode())
        except (DecryptionError, ValueError):
            return None

    def _open(self, envelope: bytes, associated_data: bytes) -> str:
        head, _, rest = envelope.partition(b"\0")
        cipher, _, key_id = head.decode("ascii", "replace").rpartition(":")
        key = self.keys.get(key_id)
        if key is None:
            raise DecryptionError("unknown key")
        if cipher not in {"", CipherName.SM4}:
            raise DecryptionError("unknown cipher")
        nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        if len(ciphertext) < _TAG_BYTES:
            raise DecryptionError("cut short")
        decrypt = _decrypt_sm4 if cipher else _decrypt_aes
        try:
            return decrypt(key, nonce, ciphertext, associated_data).decode()
        except InvalidTag:
            raise DecryptionError("bad tag") from None

    def blind_index(self, plain: str, *, purpose: str, key_id: str | None = None) -> bytes:
        """Give the keyed digest by which an equal value is found; never reversed. By the current key, unless another is named."""
        key = self.keys[key_id or self.current]
        return hmac.new(key, f"{purpose}\0{plain}".encode(), hashlib.sha256).digest()

    def blind_indexes(self, plain: str, *, purpose: str) -> list[bytes]:
        """Give the digests under every key, the current one first: while keys are changed, rows stand under old ones too."""
        return [self.blind_index(plain, purpose=purpose, key_id=key_id) for key_id in self.keys]


def _encrypt_aes(key: bytes, nonce: bytes, plain: bytes, associated_data: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, plain, associated_data)


def _decrypt_aes(key: bytes, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
    return AESGCM(key).decrypt(nonce, ciphertext, associated_data)


def sm4_key(key: bytes) -> bytes:
    """Derive the 128-bit key of SM4 from a key of the setting (HKDF, RFC 5869), so that no key serves two ciphers."""
    return HKDF(algorithm=hashes.SHA256(), length=16, salt=None, info=b"examapp sm4-gcm").derive(key)


def _encrypt_sm4(key: bytes, nonce: bytes, plain: bytes, associated_data: bytes) -> bytes:
    encryptor = Cipher(algorithms.SM4(sm4_key(key)), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated_data)
    return encryptor.update(plain) + encryptor.finalize() + encryptor.tag


def _decrypt_sm4(key: bytes, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
    decryptor = Cipher(
        algorithms.SM4(sm4_key(key)), modes.GCM(nonce, ciphertext[-_TAG_BYTES:], min_tag_length=_TAG_BYTES)
    ).decryptor()
    decryptor.authenticate_additional_data(associated_data)
    return decryptor.update(ciphertext[:-_TAG_BYTES]) + decryptor.finalize()
