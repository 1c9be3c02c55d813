"""Behaviours of name servers, servers of datagrams, hosts that are pinged, programs and files."""

from collections.abc import Callable, Iterable

from verdicts.behaviour import (
    ABSENT,
    CLOSED,
    FORBIDDEN,
    MUTE,
    NO_ROUTE,
    PROHIBITED,
    SERVER6,
    SWALLOWED,
    UNREACHABLE,
    Behaviour,
    Datagrams,
)

Answer = Callable[[bytes], Iterable[bytes]]
ANSWER, TRUNCATED = 0x8180, 0x0200
"""Flags of an answer that has recursion (RFC 1035 4.1.1)."""

SOA = b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x0e\x10\x00\x16" + bytes(2) + (1).to_bytes(4, "big") * 5


def message(
    query: bytes, *, flags: int = ANSWER, rcode: int = 0, records: bytes = b"", count: int = 0, number: int = 0
) -> bytes:
    """Return an answer with the query's question."""
    header = ((int.from_bytes(query[:2], "big") + number) % 65536, flags | rcode, 1, count, 0, 0)
    return b"".join(part.to_bytes(2, "big") for part in header) + query[12:] + records


def good(query: bytes) -> bytes:
    return message(query, records=SOA, count=1)


def dns(
    name: str, answer: Answer, *, elsewhere: bool = False, theirs: str = "", ours: str = "", waits: bool = False
) -> Behaviour:
    return Behaviour(
        type="dns",
        name=name,
        theirs=f"DNS_CHECK {{\n {theirs} %s\n }}",
        ours=ours,
        serving=Datagrams(replies=answer, elsewhere=elsewhere),
        waits=waits,
    )


def _question_of(letter: bytes) -> Answer:
    return lambda query: [good(query) if letter in query else message(query, rcode=5)]


RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN")
NAMES = [
    *(
        dns(f"{name}, no record", lambda query, rcode=rcode: [message(query, rcode=rcode)])
        for rcode, name in enumerate(RCODES)
    ),
    dns("NOERROR, a record", lambda query: [good(query)]),
    dns("SERVFAIL, a record", lambda query: [message(query, rcode=2, records=SOA, count=1)]),
    dns("rcode 15", lambda query: [message(query, rcode=15)]),
    dns("truncated", lambda query: [message(query, flags=ANSWER | TRUNCATED)]),
    dns("another number", lambda query: [message(query, number=1)], waits=True),
    dns("another number, then the right one", lambda query: [message(query, number=1), good(query)]),
    dns("the query itself", lambda query: [query], waits=True),
    dns("the query itself, then an answer", lambda query: [query, good(query)]),
    dns("another question", lambda query: [message(query[:12] + b"\x01x\x00\x00\x01\x00\x01")]),
    dns("no question", lambda query: [query[:2] + b"\x81\x80" + bytes(8)]),
    dns("from another address", lambda query: [good(query)], elsewhere=True, waits=True),
    dns("garbage", lambda _: [b"\xff" * 40], waits=True),
    dns("garbage with the number", lambda query: [query[:2] + b"\x81\x80" + b"\xff" * 40]),
    dns("records that are missing", lambda query: [message(query, count=3)]),
    dns("four bytes", lambda query: [query[:2] + b"\x81\x80"], waits=True),
    dns("an empty datagram", lambda _: [b""], waits=True),
    dns("a datagram of one byte", lambda query: [query[:1]], waits=True),
    dns("bytes after the answer", lambda query: [good(query) + b"more"]),
    dns("silence", lambda _: [], waits=True),
    dns("answers twice", lambda query: [good(query), good(query)]),
    dns("SERVFAIL, then NOERROR", lambda query: [message(query, rcode=2), good(query)]),
    dns("not authoritative, no recursion", lambda query: [message(query, flags=0x8000)]),
    dns(
        "asked for an address",
        _question_of(b"\x03www\x07example\x00\x00\x01"),
        theirs="type A\n name www.example\n",
        ours='record_type = "A", name = "www.example"',
    ),
    dns(
        "asked for what it has not",
        _question_of(b"\x04mail\x07example\x00\x00\x0f"),
        theirs="type MX\n name www.example\n",
        ours='record_type = "MX", name = "www.example"',
    ),
    dns("asked for the root", _question_of(b"\x00\x00\x06\x00\x01")),
    *(
        dns(
            f"asked for {kind}",
            _question_of(b"\x07example\x00" + number.to_bytes(2, "big") + b"\x00\x01"),
            theirs=f"type {kind}\n name example\n",
            ours=f'record_type = "{kind}", name = "example"',
        )
        for kind, number in {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28}.items()
    ),
    dns("wants recursion to be asked for", lambda query: [good(query) if query[2] & 1 else message(query, rcode=5)]),
]


def udp(
    name: str, answer: Answer, theirs: str = "", ours: str = "", *, elsewhere: bool = False, waits: bool = True
) -> Behaviour:
    return Behaviour(
        type="udp",
        name=name,
        theirs=f"UDP_CHECK {{\n {theirs} %s\n }}",
        ours=ours,
        serving=Datagrams(replies=answer, elsewhere=elsewhere),
        waits=waits,
    )


ASK = "payload 50494e47\n "
OUR_ASK = 'payload_hex = "50494e47"'
LEAST, MOST = "min_reply_length 4\n ", "max_reply_length 6\n "
BOTH, OUR_BOTH = ASK + "require_reply 504f4e47\n ", OUR_ASK + ', reply_hex = "504f4e47"'
MUST, OUR_MUST = ASK + "require_reply\n ", OUR_ASK + ", require_reply = true"
DATAGRAMS = [
    udp("silence", lambda _: []),
    udp("an echo", lambda data: [data], waits=False),
    udp("an answer to the payload", lambda data: [b"PONG"] if data == b"PING" else [], MUST, OUR_MUST, waits=False),
    udp("an answer to another payload", lambda data: [b"PONG"] if data == b"MING" else [], MUST, OUR_MUST),
    udp("silence where an answer must be", lambda _: [], MUST, OUR_MUST),
    udp("an empty answer", lambda _: [b""], MUST, OUR_MUST, waits=False),
    udp("a long answer", lambda _: [b"x" * 300], MUST, OUR_MUST, waits=False),
    udp("a long answer that nobody needs", lambda _: [b"x" * 300], ASK, OUR_ASK, waits=False),
    udp("an answer from another address", lambda _: [b"PONG"], MUST, OUR_MUST, elsewhere=True),
    udp("the answer", lambda _: [b"PONG"], BOTH, OUR_BOTH, waits=False),
    udp("another answer", lambda _: [b"PUNG"], BOTH, OUR_BOTH, waits=False),
    udp("the beginning of the answer", lambda _: [b"PO"], BOTH, OUR_BOTH, waits=False),
    udp("more than the answer", lambda _: [b"PONGO"], BOTH, OUR_BOTH, waits=False),
    udp("another answer, then the answer", lambda _: [b"PUNG", b"PONG"], BOTH, OUR_BOTH, waits=False),
    udp(
        "the answer, and any digit",
        lambda _: [b"PING"],
        ASK + "require_reply 50XX4e47\n ",
        OUR_ASK + ', reply_hex = "50XX4e47"',
        waits=False,
    ),
    udp(
        "the answer, shorter than the least",
        lambda _: [b"PONG"],
        BOTH + "min_reply_length 5\n ",
        OUR_BOTH + ", min_reply_length = 5",
        waits=False,
    ),
    udp(
        "the answer, of the least length",
        lambda _: [b"PONGO"],
        BOTH + "min_reply_length 5\n ",
        OUR_BOTH + ", min_reply_length = 5",
        waits=False,
    ),
    udp(
        "the answer, longer than the most",
        lambda _: [b"PONGPONG"],
        BOTH + MOST,
        OUR_BOTH + ", max_reply_length = 6",
        waits=False,
    ),
    udp(
        "the answer, of the most length",
        lambda _: [b"PONGPO"],
        BOTH + MOST,
        OUR_BOTH + ", max_reply_length = 6",
        waits=False,
    ),
    udp(
        "any answer, shorter than the least",
        lambda _: [b"PO"],
        MUST + LEAST,
        OUR_MUST + ", min_reply_length = 4",
        waits=False,
    ),
    udp(
        "any answer, longer than the most",
        lambda _: [b"PONGPONG"],
        MUST + MOST,
        OUR_MUST + ", max_reply_length = 6",
        waits=False,
    ),
]
NEIGHBOURS = [
    Behaviour(type="udp", name="nobody listens", theirs="UDP_CHECK {\n %s\n }", port=CLOSED),
    Behaviour(type="udp", name="host unreachable", theirs="UDP_CHECK {\n %s\n }", address=UNREACHABLE),
    Behaviour(type="udp", name="prohibited on the way", theirs="UDP_CHECK {\n %s\n }", address=PROHIBITED),
    Behaviour(type="udp", name="dropped", theirs="UDP_CHECK {\n %s\n }", address=SWALLOWED, waits=True),
    Behaviour(type="udp", name="no route here", theirs="UDP_CHECK {\n %s\n }", address=NO_ROUTE),
    Behaviour(type="udp", name="absent from the wire", theirs="UDP_CHECK {\n %s\n }", address=ABSENT),
    Behaviour(type="dns", name="nobody listens", theirs="DNS_CHECK {\n %s\n }", port=CLOSED),
    Behaviour(type="dns", name="host unreachable", theirs="DNS_CHECK {\n %s\n }", address=UNREACHABLE),
    Behaviour(type="dns", name="dropped", theirs="DNS_CHECK {\n %s\n }", address=SWALLOWED, waits=True),
]


def ping(name: str, address: str = "192.0.2.10", *, waits: bool = False) -> Behaviour:
    return Behaviour(type="ping", name=name, theirs="PING_CHECK {\n %s\n }", address=address, waits=waits)


PINGED = [
    ping("answers"),
    ping("answers over IPv6", SERVER6),
    ping("ignores", MUTE, waits=True),
    ping("host unreachable", UNREACHABLE, waits=True),
    ping("prohibited on the way", PROHIBITED, waits=True),
    ping("dropped", SWALLOWED, waits=True),
    ping("absent from the wire", ABSENT, waits=True),
    ping("no route here", NO_ROUTE),
    ping("forbidden by a route here", FORBIDDEN),
]


def command(name: str, script: str, *, theirs: str = "", ours: str = "", waits: bool = False) -> Behaviour:
    """A program; `script` is the text of a shell script, empty: there is none."""
    return Behaviour(
        type="command",
        name=name,
        theirs=f"MISC_CHECK {{\n misc_path {{script}}\n {theirs} misc_timeout {{limit}}\n retry 0\n warmup 0\n }}",
        ours=f'command = ["{{script}}"], timeout = {{limit}}{", " if ours else ""}{ours}',
        waits=waits,
    )


DYNAMIC = {"theirs": "misc_dynamic\n ", "ours": "dynamic = true"}
SCRIPTS = {
    **{f"exit {code}": f"exit {code}" for code in (0, 1, 2, 3, 126, 127, 254, 255)},
    **{f"exit {code}, dynamic": f"exit {code}" for code in (0, 1, 2, 3, 12, 126, 127, 254, 255)},
    "killed by TERM": "kill -TERM $$",
    "killed by KILL": "kill -KILL $$",
    "killed by SEGV": "kill -SEGV $$",
    "killed by TERM, dynamic": "kill -TERM $$",
    "stops itself": "kill -STOP $$",
    "too long": "exec sleep 60",
    "too long, dynamic": "exec sleep 60",
    "too long, and takes no TERM": "trap '' TERM; while :; do sleep 1; done",
    "too long, and ends with 0 on TERM": "trap 'exit 0' TERM; sleep 60 & wait",
    "leaves a child and ends with 0": "sleep 5 &\nexit 0",
    "leaves a child that has its output and ends with 1": "sleep 5 &\nexit 1",
    "writes much": "yes | head -c 300000; exit 0",
    "reads its input": "cat >/dev/null; exit 0",
    "closes its output": "exec >&- 2>&-; exit 0",
    "no interpreter": "#!/nonexistent/interpreter",
    "may not be run": "exit 0",
}
"""By name of the behaviour; the one that starts with `#!` is taken as it is."""

PROGRAMS = [
    *(
        command(
            name, text, **(DYNAMIC if "dynamic" in name else {}), waits=name == "stops itself" or "too long" in name
        )
        for name, text in SCRIPTS.items()
    ),
    command("missing", ""),
]


def file(name: str, content: str | None, weight: str, *, reverse: bool = False) -> Behaviour:
    """A file that holds a number."""
    turned = " reverse" if reverse else ""
    return Behaviour(
        type="file",
        name=name,
        theirs=f"FILE_CHECK {{\n track_file {{tracked}}\n weight {weight}{turned}\n }}",
        ours=f'file = "{{file}}", weight = {weight}{", reverse = true" if reverse else ""}',
    )


FILES: dict[str, str | None] = {
    "0, weight 0": "0",
    "1, weight 0": "1",
    "-1, weight 0": "-1",
    "3, weight 2": "3",
    "-3, weight 2": "-3",
    "-30, weight 2": "-30",
    "3, weight -2": "3",
    "3, weight 2, reverse": "3",
    "0, weight 5": "0",
    "-2147483648, weight 1": "-2147483648",
    "2147483647, weight 1": "2147483647",
    "99999999999, weight 1": "99999999999",
    "empty, weight 1": "",
    "words, weight 1": "many",
    "a number and words, weight 1": "3 of them",
    "a number and a line, weight 1": "3\n9\n",
    "a blank and a number, weight 1": " 3",
    "missing, weight 1": None,
    "missing, weight 0": None,
}
"""By name of the behaviour; None: there is none."""

TRACKED = [
    file(name, text, name.partition("weight ")[2].partition(",")[0], reverse="reverse" in name)
    for name, text in FILES.items()
]
BEHAVIOURS = (*NAMES, *DATAGRAMS, *NEIGHBOURS, *PINGED, *PROGRAMS, *TRACKED)
