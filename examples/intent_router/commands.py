"""What the desk can do: commands with aliases, macros, scopes, and who may do what.

Belongs here: data alone. Does not belong here: choosing among it (`router.py`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One thing the desk can do."""

    verb: str
    aliases: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    subject_kind: str = "order"


COMMANDS = (
    Command("order.create", ("create order", "new order", "place order"), ("item", "quantity")),
    Command("order.cancel", ("cancel order", "call off order", "drop order"), ("order",)),
    Command("order.show", ("show order", "find order", "track order"), ("order",)),
    Command("order.refund", ("refund order", "give money back"), ("order",)),
    Command("customer.create", ("create customer", "new customer"), ("name",), "customer"),
    Command("customer.delete", ("delete customer", "erase customer"), ("name",), "customer"),
    Command("stock.count", ("count stock", "take inventory"), (), "stock"),
    Command("stock.order", ("order stock", "refill shelves"), ("item",), "stock"),
    Command("report.run", ("run report", "daily report", "show sales"), (), "report"),
)

MACROS = {
    "close the day": ("stock.count", "report.run"),
    "start over with customer": ("customer.delete", "customer.create"),
}
"""A phrase and the commands it stands for."""

STORES = ("north-1", "north-2", "south")

DENIED = {
    "clerk": frozenset({"customer.delete", "order.refund"}),
    "guest": frozenset(command.verb for command in COMMANDS) - {"order.show", "report.run"},
    "owner": frozenset(),
}
"""Verbs that the policy denies, by role."""

FILLERS = frozenset({"please", "the", "a", "an", "my", "me", "i", "want", "to", "for", "now"})
"""Words that say nothing about the command."""
