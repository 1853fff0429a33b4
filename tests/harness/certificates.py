"""A certificate authority and the certificates it signs, made with the openssl command line."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

# `openssl ca` is the one subcommand that takes a start and an end date in every OpenSSL and LibreSSL.
_CONFIG = """\
[ca]
default_ca = test
[test]
dir = {folder}
database = $dir/index.txt
new_certs_dir = $dir
rand_serial = yes
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
_FORMAT = "%Y%m%d%H%M%SZ"


@dataclass(frozen=True)
class Certificate:
    """PEM files: the certificate, its private key (PKCS#8), and both in one file as Java reads them."""

    certificate: Path
    key: Path
    key_and_certificate: Path


class Authority:
    """A test's own certificate authority with its files in `folder`; `cafile` is what clients trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._config = folder / "openssl.cnf"
        self._config.write_text(_CONFIG.format(folder=folder), encoding="ascii")
        (folder / "index.txt").touch()
        self.cafile = folder / "ca.pem"
        self._request("ca", "wiki test authority", self.cafile, "-x509", "-extensions", "authority")

    def issue(
        self, name: str, *, hosts: tuple[str, ...] = (), valid: timedelta = timedelta(days=1)
    ) -> Certificate:
        """A certificate with common name `name` for `hosts` (`DNS:…` or `IP:…`).

        It became valid 30 days ago and ends in `valid` from now: a negative time gives an expired one.
        """
        request, certificate = self._folder / f"{name}.csr", self._folder / f"{name}.pem"
        self._request(name, name, request)
        extensions = self._folder / f"{name}.ext"
        lines = ["basicConstraints = CA:false", "extendedKeyUsage = serverAuth, clientAuth"]
        if hosts:
            lines.append(f"subjectAltName = {', '.join(hosts)}")
        extensions.write_text("\n".join(lines) + "\n", encoding="ascii")
        now = datetime.now(UTC)
        start, end = (now - timedelta(days=30)).strftime(_FORMAT), (now + valid).strftime(_FORMAT)
        _openssl(
            "ca", "-batch", "-notext", "-config", self._config, "-extfile", extensions,
            "-startdate", start, "-enddate", end, "-in", request, "-out", certificate,
        )  # fmt: skip
        key, both = self._folder / f"{name}.key", self._folder / f"{name}.both.pem"
        both.write_text(key.read_text("ascii") + certificate.read_text("ascii"), encoding="ascii")
        return Certificate(certificate, key, both)

    def _request(self, name: str, subject: str, out: Path, *options: str) -> None:
        key = self._folder / f"{name}.key"
        _openssl(
            "req", "-new", "-nodes", "-newkey", "rsa:2048", "-keyout", key, "-subj", f"/CN={subject}",
            "-config", self._config, "-out", out, *options,
        )  # fmt: skip


def _openssl(*arguments: str | Path) -> None:
    try:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise AssertionError("the openssl command is needed to make the test's certificates") from None
    except subprocess.CalledProcessError as error:
        raise AssertionError(f"openssl {arguments[0]}: {error.stderr}") from None
