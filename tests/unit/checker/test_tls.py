"""Files of certificates that are renewed while probes run, with both ends of TLS in this process."""

import contextlib
import ssl
from pathlib import Path

import pytest

from certificates import Authority
from stayalived.checker.tls import TlsLayer, context_for
from stayalived.errors import StayalivedError
from stayalived.plugin import StartTls

NAME = "www.example.org"
MOST_ROUNDS = 20


class Server:
    """The other end: shows a certificate, and may ask for one."""

    def __init__(self, certificate: Path, wanted: Path | None = None) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if wanted is not None:
            context.maximum_version = ssl.TLSVersion.TLSv1_2  # says within the handshake what it makes of the client
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(wanted)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def answer(self, data: bytes) -> bytes:
        self._incoming.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._outgoing.read()


def shake_hands(step: StartTls, server: Server) -> None:
    layer = TlsLayer(step)
    for _ in range(MOST_ROUNDS):
        if layer.shake_hands():
            server.answer(layer.outgoing())
            return
        layer.feed(server.answer(layer.outgoing()))
    raise AssertionError("the handshake has no end")


@pytest.fixture
def authorities(tmp_path: Path) -> tuple[Authority, Authority]:
    """Return an authority that is given up and the one that follows it."""
    folders = tmp_path / "old", tmp_path / "new"
    for folder in folders:
        folder.mkdir()
    return Authority(folders[0]), Authority(folders[1])


def replace(path: Path, text: bytes) -> None:
    """Put a file in the place of another, as whoever renews certificates does."""
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(text)
    fresh.replace(path)


def test_renewed_authorities_are_used_from_the_next_probe_on(authorities: tuple[Authority, Authority]) -> None:
    old, new = authorities
    step, certificate = StartTls(server_name=NAME, ca=str(old.path)), new.issue(NAME)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(step, Server(certificate))
    replace(old.path, new.path.read_bytes())
    shake_hands(step, Server(certificate))


def test_a_renewed_certificate_of_our_own_is_shown_from_the_next_probe_on(
    authorities: tuple[Authority, Authority],
) -> None:
    old, new = authorities
    own = old.issue("director")
    step = StartTls(verify=False, certificate=str(own))
    with pytest.raises(ssl.SSLError):
        shake_hands(step, Server(new.issue(NAME), wanted=new.path))
    replace(own, new.issue("director").read_bytes())
    shake_hands(step, Server(new.issue(NAME), wanted=new.path))


def test_an_unchanged_file_is_read_once(authorities: tuple[Authority, Authority]) -> None:
    step = StartTls(server_name=NAME, ca=str(authorities[0].path))
    TlsLayer(step)
    before = context_for.cache_info().misses
    TlsLayer(step)
    assert before == context_for.cache_info().misses


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        TlsLayer(StartTls(ca=str(tmp_path / "ca.pem")))
    with pytest.raises(StayalivedError, match=r"tls certificate .*own.pem: no such file"):
        TlsLayer(StartTls(certificate=str(tmp_path / "own.pem")))
