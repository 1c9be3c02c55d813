"""Where a check decides otherwise than keepalived's, and why: rows of the table of `docs/migration.md`.

`tests/verdicts` holds these to the verdicts of both: each that differs names its row, and each name has such a verdict.
"""

from stayalived.config.difference import Difference

CHECK_DIFFERENCES = (
    Difference(
        "a server before its first check",
        "in the pool, unless `alpha`",
        "UNKNOWN and not in the pool; one found in the kernel's table at a start stays until a check fails. "
        "`alpha = false` is keepalived's way",
        "no client meets a server that nobody has tried, and no restart empties a pool",
    ),
    Difference(
        "the first check",
        "after a second and a random part of `warmup`",
        "at once, `start_rate` in a second; `warmup` spreads the second check",
        "a pool is full sooner, and a reload does not make all servers wait again",
    ),
    Difference(
        "SMTP_CHECK",
        "a greeting or an answer of several lines fails, and so do a code without a text and a line of more "
        "than 512 bytes",
        "each of them passes",
        "RFC 5321 4.2 allows the first two, servers send them, and a long greeting is no sign of illness",
        name="smtp-lines",
    ),
    Difference(
        "UDP_CHECK `min_reply_length`, `max_reply_length`",
        "looked at only where digits follow `require_reply`; an answer that is shorter than the digits is "
        "compared as far as it goes",
        "looked at whenever there must be an answer; a `min_reply_length` demands one; an answer must have "
        "all of the digits",
        "as its manual says",
        name="udp-lengths",
    ),
    Difference(
        "HTTP_GET `regex`",
        "of PCRE2, `regex_stack`; looked for, and offsets counted, in the head as well where body and head "
        "come together; `$` and what else could go on at the end of the page is never found",
        "of Python, on the body as far as `body_limit`, once it is whole; no `regex_stack`",
        "one library less, and a verdict that does not depend on how an answer is cut into segments; look at "
        "what is more than plain",
        name="http-regex",
    ),
    Difference(
        "HTTP_GET `digest`, `regex` and chunks",
        "a chunked body is hashed and searched with the sizes of its chunks",
        "without them",
        "the page is the same whichever way it comes",
        name="http-chunks",
    ),
    Difference(
        "HTTP_GET and the end of an answer",
        "waits for the end of the connection: an answer that is whole and kept open, or reset in its body, "
        "fails, even one of `Content-Length: 0`",
        "the head decides where nobody looks at the body; else the length or the last chunk",
        "the status is all that was asked for, and a server that keeps connections open is no worse",
        name="http-head",
    ),
    Difference(
        "HTTP_GET `digest`, `regex` of a body that ends before its `Content-Length`",
        "hashed as far as it came",
        "fails",
        "half a page is what a server sends that dies over it",
        name="http-short",
    ),
    Difference(
        "HTTP_GET and what is no HTTP/1",
        "three digits after the first blank are a status, whatever stands before them (HTTP/2, http/1.1, ICY) "
        "or below (lines without a colon, lengths that are none); a status line without a reason, or with an "
        "empty line before it, fails",
        "the head must be as RFC 9112 has it, which allows both of the last",
        "who answers so is no web server, or one that clients do not understand",
        name="http-parse",
    ),
    Difference(
        "HTTP_GET, status 100 before another",
        "is the status",
        "the one that follows is",
        "RFC 9110 15.2: it is no final answer",
        name="http-100",
    ),
    Difference(
        "HTTP_GET, a head of more than 4095 bytes",
        "fails",
        "may have 65536",
        "cookies and policies grow; it is for clients to say what is too much",
        name="http-long-head",
    ),
    Difference(
        "HTTP_GET `User-Agent`",
        "`KeepAliveClient`",
        "`StayalivedClient`; `headers` may say another",
        "logs should tell who asked; a server with a rule for the old one wants `headers = { User-Agent = "
        '"KeepAliveClient" }`',
        name="http-agent",
    ),
    Difference(
        "several `url`s",
        "one each `delay_loop`",
        "all in one probe, the first that fails decides",
        "a server is in or out after one probe",
    ),
    Difference(
        "TLS of a check",
        "the certificate is not verified",
        "verified, unless `verify = false`",
        "an answer of whoever sits in between is no sign of health",
        name="tls-verified",
    ),
    Difference(
        "time limit of an HTTP check",
        "`connect_timeout` for each step, none for all of them",
        "the same for each step, and one for the whole check",
        "a server that sends a byte now and then would never be down",
    ),
    Difference(
        "the pause between tries of an HTTP check",
        "`delay_before_retry` is 3 s",
        "1 s, as of the other checks",
        "the second try says as much two seconds sooner; write `delay_before_retry = 3` where it does not",
    ),
    Difference(
        "the next HTTP check of a server that is down",
        "after the longer of `delay_before_retry` and `delay_loop`",
        "after `delay_loop`, or `fast_interval` where that is set",
        "a pause between tries says nothing about a server that failed them all",
    ),
    Difference(
        "a script of a check that may not be run",
        "disabled at the start, for good",
        "looked at anew each time; until it is safe no verdict changes, and log and status say what to do",
        "neither the server nor the router has failed, and a `chmod` should be all that it takes",
        name="command-not-run",
    ),
    Difference(
        "MISC_CHECK that ends with status 0 after its time is over",
        "passes",
        "fails",
        "it was too late, however politely it ended",
        name="command-late",
    ),
    Difference(
        "a number in a tracked file",
        "text after it is ignored; one beyond 32 bits is not taken",
        "with text after it counts as 0; one beyond 32 bits counts as the nearest",
        "a slip of the pen should not become a weight, and much should stay much",
        name="file-number",
    ),
    Difference(
        "DNS_CHECK and what follows the head of an answer",
        "is not looked at",
        "must be a message of DNS",
        "garbage is no answer",
        name="dns-garbage",
    ),
    Difference(
        "DNS_CHECK and a truncated answer",
        "is an answer",
        "the question is asked again over TCP",
        "as a resolver does (RFC 7766 5): a server that has no TCP cannot answer it",
        name="dns-truncated",
    ),
    Difference(
        "PING_CHECK that this machine forbids (a route, a firewall)",
        "fails",
        "no verdict changes, and log and status say why",
        "it says nothing about the server; for TCP keepalived has it so, too",
        name="ping-own-side",
    ),
    Difference(
        "tracked files and processes",
        "inotify, the kernel's process connector",
        "looked at each `delay_loop`, a second by default; a missing file holds 0 here as well",
        "it takes no right, works on every file system, and has no queue that can overflow",
    ),
)
