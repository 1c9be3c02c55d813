"""Frames: what crosses a pipe. One frame is one datagram; no pickle, nothing that could run code on the other side."""

import msgspec

MAX_FRAME = 64 * 1024
"""Longest frame in bytes. A pair with SO_SNDBUF of 4 MiB holds several thousand small ones."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """An envelope with a body that only its receiver reads.

    Attributes:
        topic: what it is about, a name of `messages.routes.TOPICS`.
        key: which object it is about; a frame of state replaces the one before it with the same topic and key.
        body: MessagePack of the topic's message, or empty: the key is gone.
        peer: in a frame to the supervisor the child it is for ("" = all who receive the topic); in a frame from the
            supervisor the child it came from.
        sequence: number of an event or a call; 0 for state.
    """

    topic: str
    key: str = ""
    body: bytes = b""
    peer: str = ""
    sequence: int = 0


class BadFrame(ValueError):
    """The bytes are no frame, or the body is not what its topic says: the sender is broken or hostile."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """Return the datagram for a frame.

    Raises:
        BadFrame: it is longer than `MAX_FRAME`.
    """
    data = _encoder.encode(frame)
    if len(data) > MAX_FRAME:
        raise BadFrame(f"{frame.topic} {frame.key}: {len(data)} bytes, at most {MAX_FRAME} fit")
    return data


def decode(data: bytes) -> Frame:
    """Return the frame that a datagram holds.

    Raises:
        BadFrame: it holds none.
    """
    if len(data) > MAX_FRAME:
        raise BadFrame(f"{len(data)} bytes, at most {MAX_FRAME} fit")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame(str(error)) from error
