"""What is generated of the pages is what the code says."""

from pathlib import Path

import pytest

from conformance import page as conformance
from stayalived.api import event_page as events
from stayalived.api import reference as status
from stayalived.config import differences
from stayalived.config import reference as configuration
from stayalived.messages.notify import Event
from stayalived.pages import Page
from stayalived.rehearsal import reference as plan
from verdicts import page as verdicts

TOP = Path(__file__).parents[2]
PAGES = (configuration.PAGE, differences.PAGE, status.PAGE, plan.PAGE, events.PAGE, conformance.PAGE, verdicts.PAGE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_page_says_what_the_code_says(page: Page) -> None:
    text = (TOP / page.path).read_text()

    assert text == page.rewritten(text), f"run: {page.command}"


def test_a_page_without_the_marker_is_refused() -> None:
    with pytest.raises(ValueError, match="has no line"):
        configuration.PAGE.rewritten("# nothing")


def test_every_field_of_the_status_is_explained() -> None:
    unexplained = [f"{row.__name__}.{name}" for row in status.ROWS for name, text in status.explained(row) if not text]

    assert unexplained == []


def test_every_row_of_the_status_is_shown() -> None:
    assert set(status.ROWS) == set(status.reachable())


def test_every_field_of_an_event_is_explained() -> None:
    assert [name for name, text in status.explained(Event) if not text] == []
