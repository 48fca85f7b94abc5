"""Problems of TLS in words. Input: an error of a handshake, and the certificate if there is one.

Output: what happened, and what to do.
"""

import ssl
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

MAX_NAMES: Final = 5
"""Names of a certificate that a message shows."""

INSTALL: Final = (
    "If it is the right server, install this authority on every machine, or name its file in SSL_CERT_FILE."
)

NO_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
)
"""Reasons of a peer that does not speak TLS."""

OLD_TLS: Final = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "DH_KEY_TOO_SMALL"})
"""Reasons of a peer whose TLS is outdated."""


class Problem(NamedTuple):
    """What happened, and what to do."""

    message: str
    action: str


class Certificate(NamedTuple):
    """What a message says about a certificate."""

    names: list[str]
    issuer: str
    begins_at: datetime
    ends_at: datetime


def parse_certificate(encoded: bytes) -> Certificate | None:
    """Return what a certificate says, in DER; None if it cannot be read."""
    try:
        found = x509.load_der_x509_certificate(encoded)
        return Certificate(
            _names_of(found), _issuer_of(found), found.not_valid_before_utc, found.not_valid_after_utc
        )
    except ValueError:
        return None


def _names_of(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    names = found.get_values_for_type(x509.DNSName)
    return [*names, *map(str, found.get_values_for_type(x509.IPAddress))]


def _issuer_of(certificate: x509.Certificate) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := certificate.issuer.get_attributes_for_oid(kind):
            return str(found[0].value)
    return "an authority without a name"


def describe_error(error: ssl.SSLError, host: str, port: int, certificate: Certificate | None) -> Problem:
    """Return why the handshake with a server failed, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _describe_certificate(error, host, certificate)
    reason = error.reason or "no reason was given"
    if reason in NO_TLS:
        return Problem(
            f"{host} answers on port {port} without TLS.",
            "Correct the port. If HRIMS has no TLS there, write http:// in the address.",
        )
    if reason in OLD_TLS:
        return Problem(
            f"{host} offers only an outdated version of TLS.",
            "Ask the operators of HRIMS to enable TLS 1.2 or later.",
        )
    return Problem(
        f"The TLS handshake with {host} failed ({reason.lower().replace('_', ' ')}).",
        "Ask the operators of HRIMS which TLS they require.",
    )


def _describe_certificate(
    error: ssl.SSLCertVerificationError, host: str, certificate: Certificate | None
) -> Problem:
    issuer = f" It was issued by {certificate.issuer}." if certificate else ""
    match error.verify_code:
        case 9:
            start = f" It begins on {_day(certificate.begins_at)}." if certificate else ""
            return Problem(f"The certificate is not valid yet.{start}", _clock())
        case 10:
            end = f" on {_day(certificate.ends_at)}" if certificate else ""
            return Problem(
                f"The certificate expired{end}.", f"Ask the operators of HRIMS to renew it. {_clock()}"
            )
        case 18:
            return Problem("The certificate is self-signed: no authority confirms it.", INSTALL)
        case 2 | 19 | 20 | 21:
            return Problem(
                f"The certificate is from an authority that this machine does not trust.{issuer}",
                f"{INSTALL} Or the server does not send its intermediate certificate.",
            )
        case 62 | 64:
            names = _list_names(certificate)
            return Problem(
                f"The certificate is not for {host}{names}.",
                "Use a name of the certificate in the address. Do not continue if none belongs to HRIMS.",
            )
    return Problem(f"The certificate was refused ({error.verify_message}).", INSTALL)


def _list_names(certificate: Certificate | None) -> str:
    if not certificate or not certificate.names:
        return ", it names no host"
    more = ", …" if len(certificate.names) > MAX_NAMES else ""
    return f", but for {', '.join(certificate.names[:MAX_NAMES])}{more}"


def _day(at: datetime) -> str:
    return f"{at:%-d %b %Y}"


def _clock() -> str:
    return f"The clock of this machine says {_day(datetime.now(UTC))}."
