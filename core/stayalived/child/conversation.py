"""Frames become a child engine's events and its effects become frames: for the real shell and the simulator alike."""

import gc
from collections.abc import Callable

import msgspec

from stayalived.child.events import (
    Abort,
    AnswerPrepared,
    ChildEffect,
    ChildEvent,
    Commit,
    Finished,
    Forget,
    Prepare,
    Received,
    Report,
    Stop,
    Tell,
)
from stayalived.config import model
from stayalived.errors import Bug
from stayalived.messages import control
from stayalived.messages.codec import BadFrame, Frame
from stayalived.messages.routes import forget, pack, unpack
from stayalived.timing import seconds

Decode = Callable[[bytes], model.Configuration]

ALIVE_INTERVAL = seconds(1)
"""How often a child says that its loop turns."""


class Conversation:
    """One child's half of what is said on its pipe."""

    def __init__(self, decode: Decode = model.decode) -> None:
        """Speak for one child.

        Args:
            decode: makes a configuration of its bytes.
        """
        self._decode = decode

    def frames_in(self, frame: Frame, configuration: bytes | None = None) -> ChildEvent | None:
        """Return the event that a frame from the supervisor means.

        Args:
            frame: as it came from the pipe.
            configuration: content of the descriptor that came along with it, if one did.

        Returns:
            the event, or None for a frame that says nothing to a child.

        Raises:
            BadFrame: the frame is none that a child may get.
            Bug: the configuration cannot be decoded.
        """
        message = unpack(frame)
        match message:
            case control.Prepare(generation=generation):
                return Prepare(generation=generation, configuration=_decoded(configuration, self._decode))
            case control.Commit(generation=generation, start=start):
                return Commit(generation=generation, start=start)
            case control.Abort(generation=generation):
                return Abort(generation=generation)
            case control.Stop(leave=leave):
                return Stop(leave=leave)
            case None if frame.topic.startswith("control."):
                raise BadFrame(f"{frame.topic}: without a body")
            case _:
                return Received(topic=frame.topic, key=frame.key, sender=frame.peer, message=message)

    def frame_for(self, effect: ChildEffect) -> Frame | None:
        """Return the frame that carries an effect, or None for one that stays here (`Report`)."""
        match effect:
            case AnswerPrepared(generation=generation, problems=problems):
                if all(problem.warning for problem in problems):
                    return pack(control.Prepared(generation=generation, warnings=problems))
                return pack(control.Refused(generation=generation, problems=problems))
            case Tell(message=message, key=key, to=receiver, sequence=sequence):
                return pack(message, key=key, peer=receiver, sequence=sequence)
            case Forget(message=message_type, key=key):
                return forget(message_type, key)
            case Finished():
                return pack(control.Stopped())
            case Report():
                return None

    def hello(self, pid: int, user: str = "") -> Frame:
        """Return the first frame of a child."""
        return pack(control.Hello(pid=pid, user=user))

    def alive(self) -> Frame:
        """Return the sign of life that a child sends each `ALIVE_INTERVAL`."""
        return pack(control.Alive())

    def failed(self, code: int, text: str) -> Frame:
        """Return the frame that says why a child cannot do its job (SG08)."""
        return pack(control.Failed(code=code, text=text))


def _decoded(configuration: bytes | None, decode: Decode) -> model.Configuration:
    if configuration is None:
        raise BadFrame("control.prepare: no configuration came along")
    collecting = gc.isenabled()
    gc.disable()  # nothing of it is garbage, and to look for some takes longer than to decode it
    try:
        return decode(configuration)
    except msgspec.MsgspecError as error:
        raise Bug(f"the configuration of the supervisor cannot be decoded: {error}") from error
    finally:
        if collecting:
            gc.enable()
