"""What a configuration needs of the kernel, and what is missing or held by others: asked before a change. Pure."""

from collections.abc import Mapping, Sequence

from stayalived.config.model import Configuration
from stayalived.config.problems import Problem
from stayalived.errors import KernelProblem
from stayalived.ipvs.model import Need, Table, service_in_words
from stayalived.ipvs.projection import keys_of, settings_of

Needs = Mapping[Need, tuple[str, ...]]
"""Who needs it: names of virtual servers."""


def needs_of(configuration: Configuration | None) -> Needs:
    """Return the schedulers and persistence engines that a configuration names; none without one."""
    found: dict[Need, tuple[str, ...]] = {}
    for service in configuration.virtual_servers if configuration is not None else ():
        engine = service.persistence_engine if service.persistence_timeout else ""
        need = Need(service.scheduler, engine)
        found[need] = (*found.get(need, ()), service.name)
    return found


def new_needs(wanted: Configuration, present: Configuration | None) -> tuple[Need, ...]:
    """Return what a configuration needs that the one in force does not."""
    return tuple(need for need in needs_of(wanted) if need not in needs_of(present))


def missing(
    configuration: Configuration, needs: Sequence[Need], answers: Sequence[KernelProblem | None], *, warning: bool
) -> tuple[Problem, ...]:
    """Return what the kernel lacks, once for each thing that is missing, with who needs it.

    Args:
        configuration: that needs it.
        needs: what the kernel was asked for.
        answers: what it said to each.
        warning: whether the configuration is used all the same.
    """
    users = needs_of(configuration)
    problems: dict[str, Problem] = {}
    for need, problem in zip(needs, answers, strict=True):
        if problem is not None:
            path = f"virtual_server.{users[need][0]}"
            problems.setdefault(str(problem), Problem(path=path, expected=str(problem), warning=warning))
    return tuple(problems.values())


def held(configuration: Configuration, table: Table) -> tuple[Problem, ...]:
    """Return a warning for each virtual server that the kernel has with other settings, from before or of others."""
    problems = []
    for service in configuration.virtual_servers:
        for key in keys_of(service):
            settings = settings_of(service, key.family)
            if key in table and table[key].service != settings:
                text = f"becomes {service_in_words(key, settings)}; if another program keeps it, stop that one"
                found = f"{service_in_words(key, table[key].service)} in the kernel"
                problems.append(
                    Problem(path=f"virtual_server.{service.name}", found=found, expected=text, warning=True)
                )
                break  # a range would say the same a thousand times
    return tuple(problems)
