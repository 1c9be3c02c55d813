"""What somebody else took from us in the kernel's routing. Pure."""

from dataclasses import dataclass

from stayalived.config.virtual_routers import Route, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDeleted:
    """Somebody else deleted a route of ours, or the kernel did."""

    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDeleted:
    """Somebody else deleted a rule of ours."""

    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Deletions were lost: what is there must be read (`Network.routes`, `Network.rules`)."""


Loss = RouteDeleted | RuleDeleted | Unknown
