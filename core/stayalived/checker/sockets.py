"""Sockets of probes: opened as the target says, and what the kernel may refuse that is our own lack. I/O."""

import errno
import socket

from stayalived.errors import KernelProblem
from stayalived.plugin.checks import Target

_IP_BIND_ADDRESS_NO_PORT = 24  # include/uapi/linux/in.h; Python names it from 3.12 on
_RECVERR = {False: (socket.IPPROTO_IP, 11), True: (socket.IPPROTO_IPV6, 25)}  # include/uapi/linux/in.h, in6.h

_STREAM = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
_DATAGRAMS = int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)

# What a system call may be refused for that is our own lack and says nothing about the server (C11).
OWN_SIDE = {
    errno.EMFILE: "raise the limit of open files (LimitNOFILE)",
    errno.ENFILE: "raise fs.file-max",
    errno.ENOBUFS: "the kernel is out of buffers",
    errno.ENOMEM: "the kernel is out of memory",
    errno.EAFNOSUPPORT: "this host lacks the address family",
    errno.EADDRNOTAVAIL: "no local port or address is free; widen net.ipv4.ip_local_port_range or look at bindto",
    errno.EAGAIN: "no local port is free; widen net.ipv4.ip_local_port_range",
    errno.EADDRINUSE: "bind_port is in use on this host",
    errno.EPERM: "a firewall rule of this host or a missing capability forbids it",
    errno.EACCES: "a firewall rule of this host or a missing capability forbids it",
}


def open_socket(target: Target, *, datagrams: bool = False) -> socket.SocketType:
    """Open a TCP socket, or one of UDP, with the source address, mark and interface of a target applied.

    Raises:
        KernelProblem: the kernel refused one of them, or has no descriptor left.
    """
    is_ipv6 = ":" in target.endpoint.address
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    action = "socket"
    opened = None
    try:
        # The class of the C module: the one of `socket` costs twice as much to make and close.
        opened = socket.SocketType(family, _DATAGRAMS if datagrams else _STREAM, 0)
        if datagrams:  # else ip(7) keeps to itself that a host or a net cannot be reached
            opened.setsockopt(*_RECVERR[is_ipv6], 1)
        if target.fwmark:
            action = f"fwmark {target.fwmark}"
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, target.fwmark)
        if target.bind_if:
            action = f"bind_if {target.bind_if}"
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, target.bind_if.encode())
        if target.bindto or target.bind_port:
            action = f"bind {target.bindto or '*'}:{target.bind_port}"
            _bind(opened, target, is_ipv6)
    except OSError as error:
        if opened is not None:
            opened.close()
        raise KernelProblem(action, error.errno or 0, OWN_SIDE.get(error.errno or 0, "")) from error
    return opened


def _bind(opened: socket.SocketType, target: Target, is_ipv6: bool) -> None:
    """Bind to the source of a target. Without a port the kernel chooses one at connect, among those free there."""
    if target.bind_port:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        opened.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    opened.bind((target.bindto or ("::" if is_ipv6 else "0.0.0.0"), target.bind_port))  # noqa: S104  (a source)


def sockaddr(target: Target) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return the address for connect(2); a link-local one lies on the interface of `bind_if`."""
    address, port = target.endpoint.address, target.endpoint.port
    if target.bind_if and address.startswith("fe80:"):
        return (address, port, 0, socket.if_nametoindex(target.bind_if))
    return (address, port)
