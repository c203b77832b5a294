"""Certificate files of the listeners, read and checked before anything listens."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path


class TlsError(ValueError):
    """A certificate or key cannot be used; the message names the file and the setting."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What both listeners show and ask for, in PEM.

    Attributes:
        cert: The certificate and those that lead to its authority.
        key: Its private key, without a password.
        client_ca: Clients have to show a certificate of this authority; None asks for none.
        context: The same, ready for use.
    """

    cert: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    context: ssl.SSLContext


def load_tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    """Return what the files hold; None when there are none.

    Raises:
        TlsError: a file is missing or wrong, or one is named without the other that it needs.
    """
    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        missing = "--tls-cert" if cert is None else "--tls-key"
        raise TlsError(f"TLS needs both --tls-cert and --tls-key; {missing} is not set")
    contents = (_read(cert, "--tls-cert"), _read(key, "--tls-key"))
    ca = None if client_ca is None else _read(client_ca, "--tls-client-ca")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password="")  # a key with one must fail, not ask
    except ssl.SSLError as error:
        raise TlsError(f"--tls-cert {cert} and --tls-key {key} are no PEM certificate and its key ({error})") from error
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except ssl.SSLError as error:
            raise TlsError(f"--tls-client-ca {client_ca} is no PEM certificate ({error})") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return Tls(*contents, ca, context)


def _read(path: Path, flag: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"{flag} {path} cannot be read ({error.strerror})") from error
