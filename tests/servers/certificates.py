"""Certificates for the servers' TLS, made anew for each session."""

import datetime
import functools
import ipaddress
import tempfile

from .session import session_folder


@functools.cache
def certificates():
    """This session's certificates."""
    folder = session_folder(tempfile.gettempdir()) / "certificates"
    folder.mkdir()
    return Certificates(folder)


class Certificates:
    """PEM files: ca signed certificate (with key), which is for 127.0.0.1 and localhost; other_ca
    is an authority that signed nothing."""

    def __init__(self, folder):
        self.ca = folder / "ca.pem"
        self.other_ca = folder / "other-ca.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        self._authority = _issue("dbhealth test authority")
        _write(self.ca, self._authority[0])
        _write(self.other_ca, _issue("another authority")[0])
        self.renew(self.certificate, self.key)

    def renew(self, certificate, key):
        """Writes a certificate like the server's, and its key, into these files."""
        server, server_key = _issue("localhost", *self._authority)
        _write(certificate, server)
        _write_key(key, server_key)


# cryptography is imported late: a demo without TLS doesn't install it.


def _issue(common_name, issuer=None, issuer_key=None):
    """A certificate and its key: a server's if there is an issuer, else an authority's."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.utcnow()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
    )
    if issuer:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256()), key


def _write(path, certificate):
    from cryptography.hazmat.primitives.serialization import Encoding

    path.write_bytes(certificate.public_bytes(Encoding.PEM))


def _write_key(path, key):
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
