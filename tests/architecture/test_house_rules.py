"""House rules a reader cannot check by eye: money is rounded in one place, law knows no clock, no page is open.

Each rule over the source is a function from a file to what breaks it, and is first shown to see an example that does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from config.roles import PERMISSIONS, RESERVED
from tests.architecture.source import Module, calls, functions, in_folders, modules, name_of, parsed, texts

Rule = Callable[[Module], Iterator[str]]

MONEY = "config/money.py"
# Rounds seconds for a person to read, not money.
ROUNDS_SECONDS = {"config/demo/management/commands/load_demo.py"}
CLOCKS = {"now", "today", "utcnow", "localdate", "localtime", "business_now", "time_ns", "monotonic", "Now"}
CLOCK_OF_DATABASE = re.compile(r"\bnow\(\)|\bCURRENT_(DATE|TIME|TIMESTAMP)\b|\b(clock|statement)_timestamp\(", re.I)
# As the bank wrote it, in its own time.
BANK_TIMES = {"bank.created_at"}
LONGEST_FUNCTION = 70
LONGEST_FILE = 600


def rounding(module: Module) -> Iterator[str]:
    """Names of rounding modes, and calls that round by one."""
    for node in ast.walk(module.tree):
        name = node.name if isinstance(node, ast.alias) else name_of(node)
        if name.startswith("ROUND_"):
            yield module.at(node, name)
    for call, name in calls(module, {"quantize", "round", "to_integral_value", "to_integral", "to_integral_exact"}):
        yield module.at(call, name)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FormattedValue) and node.format_spec and ".2f" in ast.unparse(node.format_spec):
            yield module.at(node, "rounds while formatting")


def clock(module: Module) -> Iterator[str]:
    """Reads of a clock, ours or the database's."""
    for call, name in calls(module, CLOCKS):
        yield module.at(call, name)
    for call, _ in calls(module, {"time"}):
        if ast.unparse(call) == "time.time()":
            yield module.at(call, "time.time")
    for text in texts(module):
        if CLOCK_OF_DATABASE.search(text.value):
            yield module.at(text, "clock of the database")


def days_in_utc(module: Module) -> Iterator[str]:
    """Days and years read off a moment: moments are kept in UTC, whose day ends hours after that of the office."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"date", "day", "month", "year"}:
            moment = ast.unparse(node.value)
            if moment not in BANK_TIMES and (moment.endswith("now()") or moment.split(".")[-1].split("_")[-1] == "at"):
                yield module.at(node, ast.unparse(node))


def positional_actions(module: Module) -> Iterator[str]:
    """Actions that can be called without naming each argument."""
    for function in functions(module):
        if "action" in map(name_of, function.decorator_list):
            arguments = function.args
            if arguments.posonlyargs or arguments.args or arguments.vararg:
                yield module.at(function, function.name)


def nameless_actions(module: Module) -> Iterator[str]:
    """Public actions that are not told who acts and when."""
    for function in functions(module):
        public = "action" in map(name_of, function.decorator_list) and not function.name.startswith("_")
        if public and not {"actor", "at"} <= {argument.arg for argument in function.args.kwonlyargs}:
            yield module.at(function, function.name)


def transactions(module: Module) -> Iterator[str]:
    """Transactions opened by hand: only a savepoint inside an action, to catch what the database refuses."""
    for call, _ in calls(module, {"atomic"}):
        if any(word.arg == "durable" for word in call.keywords):
            yield module.at(call, "durable transaction")


def asked(module: Module) -> Iterator[str]:
    """Permissions that code asks for by ``may`` and that are in no role."""
    for call, _ in calls(module, {"may"}):
        for argument in call.args:
            if isinstance(argument, ast.Constant) and argument.value not in PERMISSIONS:
                yield module.at(call, str(argument.value))


def long_functions(module: Module) -> Iterator[str]:
    """Functions that scroll."""
    for function in functions(module):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > LONGEST_FUNCTION:
            yield module.at(function, f"{function.name} has {length} lines")


def long_file(module: Module) -> Iterator[str]:
    """A file that asks a question."""
    length = module.text.count("\n")
    if length > LONGEST_FILE:
        yield f"{module.path} has {length} lines"


def left_for_later(module: Module) -> Iterator[str]:
    """Notes to oneself."""
    for number, line in enumerate(module.text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield f"{module.path}:{number}"


@pytest.mark.parametrize(
    ("rule", "example"),
    [
        (rounding, "from decimal import ROUND_UP"),
        (rounding, "x = decimal.ROUND_HALF_UP"),
        (rounding, "x = value.quantize(cent)"),
        (rounding, "x = round(value, 2)"),
        (rounding, "x = f'{value:.2f}'"),
        (clock, "at = timezone.now()"),
        (clock, "on = date.today()"),
        (clock, "at = time.time()"),
        (clock, "SQL = 'UPDATE a SET at = now()'"),
        (clock, "SQL = f'SELECT {x}, current_date'"),
        (days_in_utc, "on = at.date()"),
        (days_in_utc, "year = run.proposed_at.year"),
        (days_in_utc, "today = access.now().date()"),
        (positional_actions, "@action\ndef pay(run, *, actor, at): ..."),
        (nameless_actions, "@action\ndef pay(*, actor): ..."),
        (transactions, "with transaction.atomic(durable=True): ..."),
        (asked, "access.may('nothing.known')"),
        (long_functions, "def f():\n" + "    x\n" * LONGEST_FUNCTION),
        (long_file, "x\n" * (LONGEST_FILE + 1)),
        (left_for_later, "x  # TO" + "DO: later"),
    ],
)
def test_the_rule_sees_what_breaks_it(rule: Rule, example: str) -> None:
    assert list(rule(parsed(example)))


@pytest.mark.parametrize(
    ("rule", "example"),
    [
        (rounding, '"""round(a x b, 2) half up."""\nx = round_half_up(a)'),
        (clock, '"""As of now()."""\nx = at.time()'),
        (days_in_utc, "year = local_date(at, zone).year\nx = row.starts_on.year"),
        (positional_actions, "@action\ndef pay(*, run, actor, at): ...\ndef other(a): ..."),
    ],
)
def test_the_rule_lets_the_good_way_pass(rule: Rule, example: str) -> None:
    assert list(rule(parsed(example))) == []


def broken(rule: Rule, files: list[Module]) -> list[str]:
    assert len(files) > 1, "nothing to look at"
    return [what for module in files for what in rule(module)]


def test_money_is_rounded_in_one_file() -> None:
    assert list(rounding(next(m for m in modules() if m.path == MONEY)))
    assert broken(rounding, [m for m in modules() if m.path not in {MONEY, *ROUNDS_SECONDS}]) == []


def test_rules_and_actions_are_told_the_time() -> None:
    assert broken(clock, in_folders("rules", "actions")) == []


def test_days_are_those_of_the_office() -> None:
    # The demo builds its moments in the town's own time.
    files = [module for module in modules() if not module.path.startswith("config/demo/")]
    assert broken(days_in_utc, files) == []


def test_actions_name_each_argument() -> None:
    assert broken(positional_actions, list(modules())) == []


def test_public_actions_are_told_who_and_when() -> None:
    assert broken(nameless_actions, in_folders("actions")) == []


def test_only_an_action_opens_a_durable_transaction() -> None:
    assert broken(transactions, [m for m in modules() if m.path != "config/audit/recording.py"]) == []


def test_code_asks_for_permissions_of_the_role_table() -> None:
    assert broken(asked, list(modules())) == []


def test_reserved_permissions_are_in_the_role_table() -> None:
    assert set(PERMISSIONS) >= RESERVED


def test_functions_and_files_do_not_scroll() -> None:
    assert broken(long_functions, list(modules())) == []
    assert broken(long_file, list(modules())) == []


def test_nothing_is_left_for_later() -> None:
    assert broken(left_for_later, list(modules())) == []
