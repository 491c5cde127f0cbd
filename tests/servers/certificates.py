"""Certificates for the servers' TLS, made anew for each session."""

import datetime
import functools
import ipaddress

from .session import fast_folder, session_folder

LOCAL = ("localhost", "127.0.0.1")
MONTH = 30 * 24 * 3600  # s


@functools.cache
def certificates():
    """This session's certificates."""
    folder = session_folder(fast_folder()) / "certificates"
    folder.mkdir()
    return Certificates(folder)


class Certificates:
    """PEM files: ca signed certificate (with key), which is for 127.0.0.1 and localhost; other_ca
    is another authority. revocations is ca's list of what it has revoked."""

    def __init__(self, folder):
        self._folder = folder
        self.ca = folder / "ca.pem"
        self.other_ca = folder / "other-ca.pem"
        self.revocations = folder / "revocations.pem"
        ca, other = _issue("dbhealth test authority"), _issue("another authority")
        self._authorities = {self.ca: ca, self.other_ca: other}
        _write(self.ca, ca[0])
        _write(self.other_ca, other[0])
        self.certificate, self.key = self.issue("server")
        self._revoked = []
        self.revoke()

    def issue(
        self, name, *, common_name="localhost", ca=None, seconds=MONTH, hosts=None, use=None
    ):
        """A certificate and its key, as files of that name; for hosts, 127.0.0.1 and localhost
        unless told, or if there are none for its common name; and valid for so many seconds, which
        may lie in the past. use: SERVER_AUTH, or what else it may be for alone."""
        authority = self._authorities[ca or self.ca]
        hosts = LOCAL if hosts is None else hosts
        issued, key = _issue(common_name, *authority, seconds=seconds, hosts=hosts, use=use)
        paths = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        _write(paths[0], issued)
        _write_key(paths[1], key)
        return paths

    def revoke(self, *certificates):
        """Adds certificates, given by their files, to the list of those that ca has revoked."""
        from cryptography import x509

        for path in certificates:
            self._revoked.append(x509.load_pem_x509_certificate(path.read_bytes()))
        _write(self.revocations, _revocations(*self._authorities[self.ca], self._revoked))


# cryptography is imported late: a demo without TLS doesn't install it.


def _issue(common_name, issuer=None, issuer_key=None, *, seconds=MONTH, hosts=(), use=None):
    """A certificate and its key: an authority's if there is no issuer."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(seconds=seconds))
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
    )
    signer = (issuer_key or key).public_key()
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    if issuer and hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    if use:
        uses = x509.ExtendedKeyUsage([getattr(x509.oid.ExtendedKeyUsageOID, use)])
        builder = builder.add_extension(uses, critical=False)
    if not issuer:
        builder = builder.add_extension(_signs(), critical=True)
    return builder.sign(issuer_key or key, hashes.SHA256()), key


def _signs():
    """An authority's key usage: certificates and revocations."""
    from cryptography import x509

    uses = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
        + ("key_agreement", "encipher_only", "decipher_only"),
        False,
    )
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **uses)


def _general_name(host):
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _revocations(issuer, issuer_key, revoked):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(now - datetime.timedelta(days=1))
    builder = builder.next_update(now + datetime.timedelta(days=30))
    for certificate in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(now).build())
    return builder.sign(issuer_key, hashes.SHA256())


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
    path.chmod(0o600)
