"""Behaviours of mail servers."""

from stayalived.plugin.testing import Act, Hear, Reset, Say, Silence, Trickle
from stayalived.timing import milliseconds
from verdicts.acts import Wait
from verdicts.behaviour import CLOSED, SERVER6, Behaviour, Script

GREETING = Say(b"220 mail.example ESMTP\r\n")
HELO, QUIT = Hear(b"HELO "), Hear(b"QUIT")
BYE = (QUIT, Say(b"221 bye\r\n"))
FINE = (Say(b"250 mail.example\r\n"), *BYE)


def smtp(
    name: str, *acts: Act, address: str = "192.0.2.10", theirs: str = "", ours: str = "", waits: bool = False
) -> Behaviour:
    return Behaviour(
        type="smtp",
        name=name,
        theirs=f"SMTP_CHECK {{\n {theirs} %s\n }}",
        ours=ours,
        serving=Script(acts=acts),
        address=address,
        waits=waits,
    )


def greeted(name: str, *acts: Act, waits: bool = False) -> Behaviour:
    """A server whose greeting is as it should be."""
    return smtp(name, GREETING, HELO, *acts, waits=waits)


BEHAVIOURS = (
    greeted("works", *FINE),
    smtp("works over IPv6", GREETING, HELO, *FINE, address=SERVER6),
    Behaviour(type="smtp", name="refuses", theirs="SMTP_CHECK {\n %s\n }", port=CLOSED),
    smtp("closes before it greets"),
    smtp("resets before it greets", Reset()),
    smtp("does not greet", Silence(), waits=True),
    smtp("greets with several lines", Say(b"220-mail.example\r\n220-second\r\n220 ready\r\n"), HELO, *FINE),
    smtp("greets with a line that goes on and is silent", Say(b"220-mail.example\r\n"), Silence(), waits=True),
    smtp("greets with a line that goes on and closes", Say(b"220-mail.example\r\n")),
    smtp("greets with 421", Say(b"421 too busy\r\n")),
    smtp("greets with 450", Say(b"450 later\r\n"), HELO, *FINE),
    smtp("greets with 554", Say(b"554 no\r\n"), HELO, *FINE),
    smtp("greets with 221", Say(b"221 bye\r\n"), HELO, *FINE),
    smtp("greets with 250", Say(b"250 mail.example\r\n"), HELO, *FINE),
    smtp("greets with 2200", Say(b"2200 mail.example\r\n"), HELO, *FINE, waits=True),
    smtp("greets with a code alone", Say(b"220\r\n"), HELO, *FINE),
    smtp("greets with a code and a blank", Say(b"220 \r\n"), HELO, *FINE),
    smtp("greets with a code and a tab", Say(b"220\tmail.example\r\n"), HELO, *FINE, waits=True),
    smtp("greets with a line feed alone", Say(b"220 mail.example\n"), HELO, *FINE),
    smtp("greets without the end of the line", Say(b"220 mail.example"), Silence(), waits=True),
    smtp("greets without the end of the line and closes", Say(b"220 mail.example")),
    smtp("greets a byte at a time", Trickle(b"220 mail.example\r\n", milliseconds(10)), HELO, *FINE),
    smtp("greets in two segments", Say(b"22"), Wait(milliseconds(100)), Say(b"0 mail.example\r\n"), HELO, *FINE),
    smtp("greets with garbage", Say(b"\x00\xff\x01\x02\r\n"), Silence()),
    smtp("greets as SSH", Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Silence()),
    smtp("greets as HTTP", Say(b"HTTP/1.0 400 Bad Request\r\n\r\n")),
    smtp("greets with an empty line before", Say(b"\r\n220 mail.example\r\n"), HELO, *FINE),
    smtp("greets with a long line", Say(b"220 " + b"x" * 480 + b"\r\n"), HELO, *FINE),
    smtp("greets with a line of 600 bytes", Say(b"220 " + b"x" * 600 + b"\r\n"), HELO, *FINE),
    smtp("greets late", Wait(milliseconds(300)), GREETING, HELO, *FINE),
    smtp("greets too late", Wait(milliseconds(60_000)), GREETING, HELO, *FINE, waits=True),
    smtp("says more than it was asked", Say(b"220 mail.example\r\n250 mail.example\r\n"), QUIT),
    greeted("takes no HELO", Say(b"502 no such command\r\n"), Hear(b"QUIT")),
    greeted("refuses our name", Say(b"550 go away\r\n"), Hear(b"QUIT")),
    greeted("closes with 421 on HELO", Say(b"421 closing\r\n")),
    greeted("answers HELO with 220", Say(b"220 hello\r\n"), QUIT),
    greeted("answers HELO with 251", Say(b"251 hello\r\n"), QUIT),
    greeted("answers HELO with several lines", Say(b"250-mail.example\r\n250-SIZE\r\n250 HELP\r\n"), *BYE),
    greeted("answers HELO with lines of two codes", Say(b"250-mail.example\r\n550 no\r\n"), QUIT),
    greeted("answers HELO with a code alone", Say(b"250\r\n"), *BYE),
    greeted("answers HELO a byte at a time", Trickle(b"250 mail.example\r\n", milliseconds(10)), *BYE),
    greeted("answers HELO with garbage", Say(b"\x00\xff\x01\x02\r\n"), Silence()),
    greeted("closes on HELO"),
    greeted("resets on HELO", Reset()),
    greeted("is silent on HELO", Silence(), waits=True),
    greeted("is silent on QUIT", Say(b"250 mail.example\r\n"), QUIT, Silence(), waits=True),
    greeted("closes on QUIT", Say(b"250 mail.example\r\n"), QUIT),
    greeted("resets on QUIT", Say(b"250 mail.example\r\n"), QUIT, Reset()),
    greeted("refuses QUIT", Say(b"250 mail.example\r\n"), QUIT, Say(b"500 what?\r\n")),
    greeted("closes after HELO is answered", Say(b"250 mail.example\r\n")),
    greeted("resets after HELO is answered", Say(b"250 mail.example\r\n"), Reset()),
    smtp(
        "takes one name alone",
        GREETING,
        Hear(b"HELO probe.example\r\n"),
        *FINE,
        theirs="helo_name probe.example",
        ours='helo_name = "probe.example"',
    ),
    smtp("takes the name that keepalived has", GREETING, Hear(b"HELO smtpchecker.keepalived.org\r\n"), *FINE),
    smtp("answers EHLO alone", GREETING, Hear(b"EHLO"), *FINE, waits=True),
)
