import os
import socket
from pathlib import Path

import pytest

from stayalived.child.bootstrap import ACCEPTED, Context
from stayalived.child.link import Link, make_pair, read_blob
from stayalived.config import main, model
from stayalived.config.check import Report
from stayalived.config.problems import Problem
from stayalived.errors import Bug
from stayalived.messages.codec import encode
from stayalived.messages.control import Hello, Parsed, Start
from stayalived.messages.routes import pack, unpack

CONF_D = Path(__file__).parents[3] / "conf.d"


def context(link: socket.socket, config_dir: Path, accepted: int | None = None) -> Context:
    return Context(
        name="config",
        start=Start.FIRST,
        link=link,
        run_dir=config_dir,
        config_dir=config_dir,
        host_id="tic",
        generation=7,
        extra={} if accepted is None else {ACCEPTED: accepted},
    )


def parsed_from(config_dir: Path, accepted: int | None = None) -> tuple[Parsed, list[int]]:
    ours, theirs = make_pair()
    born = context(theirs, config_dir, accepted)
    main.run(born, main.open_as_root(born))
    link = Link(ours)
    (hello, _), (frame, descriptors) = link.receive()
    parsed = unpack(frame)
    theirs.close()
    link.close()
    assert isinstance(unpack(hello), Hello)
    assert isinstance(parsed, Parsed)
    return parsed, descriptors


def test_a_good_configuration_is_sent_sealed_with_what_the_supervisor_needs() -> None:
    parsed, (descriptor,) = parsed_from(CONF_D)

    with pytest.raises(PermissionError):
        os.write(descriptor, b"x")
    configuration = model.decode(read_blob(descriptor))
    assert (parsed.generation, parsed.problems) == (7, ())
    assert configuration.globals.host_id == "tic"
    assert parsed.needs is not None
    assert parsed.needs.children == ("log", "vrrp", "ipvs", "checker", "api")


def test_the_files_of_the_configuration_in_force_are_not_sent_again(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[global]\nrouter_id = "lb1"\n')
    first, (accepted,) = parsed_from(tmp_path)

    again, descriptors = parsed_from(tmp_path, accepted)

    assert (first.unchanged, again.unchanged) == (False, True)
    assert (again.needs, descriptors) == (None, [])


def test_a_bad_configuration_is_refused_without_a_descriptor(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[globl]")

    parsed, descriptors = parsed_from(tmp_path)

    assert descriptors == []
    assert parsed.needs is None
    assert [str(problem) for problem in parsed.problems] == [
        "a.toml:1:1: globl: unknown key; did you mean global?",
    ]


def test_more_problems_than_fit_a_frame_are_counted_and_errors_come_first() -> None:
    warnings = [Problem(path=f"w.{number}", expected="ü" * 100, warning=True) for number in range(1000)]
    error = Problem(path="e", expected="wrong")
    report = Report(problems=(*warnings, error), configuration=b"", hosts=())

    parsed, _ = main.parsed_of(report, 1)

    assert parsed.problems[0] == error
    assert (
        parsed.problems[-1].expected
        == f"and {1001 - len(parsed.problems) + 1} more problems; `stayalived check` shows all"
    )
    assert len(encode(pack(parsed))) < 64 * 1024


def test_a_child_without_its_files_is_a_bug(tmp_path: Path) -> None:
    ours, theirs = make_pair()

    with ours, theirs, pytest.raises(Bug):
        main.run(context(theirs, tmp_path), None)


def test_thousands_of_instances_fit_the_frame(tmp_path: Path) -> None:
    """Given 5,000 instances, when they are read, then the supervisor is told all that it has to know."""
    numbers = [(link, number) for link in range(20) for number in range(1, 251)]
    (tmp_path / "10-vrrp.toml").write_text("\n".join(instance(link, number) for link, number in numbers))

    parsed, descriptors = parsed_from(tmp_path)

    assert parsed.needs is not None
    assert (parsed.needs.objects, parsed.needs.removable[0].count) == (5_000, 5_000)
    assert len(model.decode(read_blob(descriptors[0])).instances) == 5_000


def instance(link: int, number: int) -> str:
    return f"""
[vrrp_instance.an_instance_with_a_long_name_{link}_{number}]
interface = "eth{link}"
virtual_router_id = {number}
virtual_ipaddress = ["10.{link}.0.{number}/32"]
"""
