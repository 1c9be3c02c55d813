"""Filters of sockets: programs of classic BPF (linux/filter.h), which run in the kernel for each packet. I/O."""

import ctypes
import socket
import struct

LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
IF_EQUAL, RETURN = 0x15, 0x06
EVERYTHING = 0xFFFFFFFF
"""What a program returns that lets a packet through whole."""

LINK_LAYER = 0xFFE00000
"""SKF_LL_OFF: places from here on are in the header of the link layer."""

Instruction = tuple[int, int, int, int]
"""Code, jumps if true and if false, operand."""

_SO_ATTACH_FILTER = 26
_INSTRUCTION = struct.Struct("=HBBI")


def attach(sock: socket.socket, *program: Instruction) -> None:
    """Let a socket be given only what a program lets through.

    Raises:
        OSError: the kernel finds the program wrong.
    """
    packed = ctypes.create_string_buffer(b"".join(_INSTRUCTION.pack(*instruction) for instruction in program))
    attachment = struct.pack("@HP", len(program), ctypes.addressof(packed))  # struct sock_fprog
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attachment)


def attach_nothing(sock: socket.socket) -> None:
    """Let a socket be given nothing at all: one that only speaks."""
    attach(sock, (RETURN, 0, 0, 0))
