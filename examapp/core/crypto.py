"""Personal numbers at rest: sealed with AES-256-GCM, bound to their row, found again by a keyed blind index."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SealBrokenError(Exception):
    """The sealed value was moved to another row, changed, or its key is missing."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens values; `keys` by key id, the first one seals."""

    keys: dict[str, bytes]

    @classmethod
    def from_setting(cls, data_keys: str) -> Sealer:
        """Read the setting DATA_KEYS, `id:64 hex digits` separated by commas."""
        pairs = (pair.split(":", 1) for pair in data_keys.split(",") if pair.strip())
        return cls({key_id.strip(): bytes.fromhex(key.strip()) for key_id, key in pairs})

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))

    def seal(self, plain: str, *, bound_to: str) -> bytes:
        """Seal a value for one row: `key id, 0, nonce, ciphertext`."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.keys[self.current]).encrypt(nonce, plain.encode(), bound_to.encode())
        return self.current.encode() + b"\0" + nonce + sealed

    def unseal(self, envelope: bytes, *, bound_to: str) -> str:
        """Open a sealed value; raises SealBrokenError."""
        key_id, _, rest = envelope.partition(b"\0")
        key = self.keys.get(key_id.decode("ascii", "replace"))
        if key is None:
            raise SealBrokenError("unknown key")
        try:
            return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], bound_to.encode()).decode()
        except InvalidTag:
            raise SealBrokenError("bad tag") from None

    def blind_index(self, plain: str, *, purpose: str) -> bytes:
        """Give the keyed digest by which an equal value is found; never reversed."""
        oldest = list(self.keys.values())[-1]
        return hmac.new(oldest, f"{purpose}\0{plain}".encode(), hashlib.sha256).digest()
