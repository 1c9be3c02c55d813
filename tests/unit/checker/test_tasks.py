import asyncio

import pytest

from stayalived.checker.tasks import TaskLimit
from stayalived.errors import PluginFailure


async def test_one_task_too_many_is_refused_and_there_is_room_again_when_one_has_ended() -> None:
    limit = TaskLimit(2)
    limit.install(asyncio.get_running_loop())
    over = asyncio.Event()
    first, second = (asyncio.create_task(over.wait()) for _ in range(2))

    with pytest.raises(PluginFailure, match="2 tasks run already"):
        asyncio.create_task(over.wait())  # noqa: RUF006  (there is none)
    over.set()
    await asyncio.wait((first, second))

    assert limit.count == 0
    assert await asyncio.create_task(over.wait(), name="third")
