# SPDX-License-Identifier: Apache-2.0
"""A throw-away certificate authority for tests, made with openssl(1).

Not for production: keys lie in plain files and live as long as the folder.
"""
import pathlib
import subprocess

EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
DAYS = "30"


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")


class Certificate:
    """Paths of one certificate: .crt, .key and .pem (key, leaf, CA)."""

    def __init__(self, folder, name):
        self.certificate = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        self.bundle = folder / f"{name}.pem"


class Authority:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        self._key = self.folder / "ca.key"
        if not self.ca.exists():
            self._create()

    def _create(self):
        openssl("req", "-x509", *EC_KEY, "-days", DAYS, "-subj", "/CN=test-ca",
                "-keyout", str(self._key), "-out", str(self.ca),
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, *alternatives):
        """Issues /CN=name; alternatives are "IP:…" or "DNS:…" entries."""
        made = Certificate(self.folder, name)
        request = self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.ext"
        names = f"subjectAltName={','.join(alternatives)}\n"
        extensions.write_text((names if alternatives else "")
                              + "extendedKeyUsage=serverAuth,clientAuth\n")
        openssl("req", "-new", *EC_KEY, "-subj", f"/CN={name}",
                "-keyout", str(made.key), "-out", str(request))
        openssl("x509", "-req", "-in", str(request), "-CA", str(self.ca),
                "-CAkey", str(self._key), "-CAcreateserial", "-days", DAYS,
                "-extfile", str(extensions), "-out", str(made.certificate))
        # PKCS#8 key first: the order Kafka's PEM key store expects.
        made.bundle.write_text(made.key.read_text()
                               + made.certificate.read_text()
                               + self.ca.read_text())
        return made
