"""The tables of a package: their columns, what each cell may hold, and their keys. One place for import and export.

Written compactly: ``name kind``, where ``*`` marks a key column and ``!`` a column that may not be blank.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Column:
    """A column.

    Kinds: code, text, date, time, month, int (from 1), count (from 0), bool, units, taken, rate, amount, exact, check,
    choice.

    ``units`` have 3 places and ``rate`` 4, both positive; ``taken`` are units that may be 0; ``amount`` has 2 and is
    not negative; ``exact`` is a claimed amount as it was written, 4 places, of any sign; ``check`` is as CLM-33.
    """

    name: str
    kind: str
    key: bool = False
    required: bool = False
    choices: tuple[str, ...] = ()
    length: int = 255


@dataclass(frozen=True)
class Table:
    """A table of the package."""

    name: str
    columns: tuple[Column, ...]

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(column.name for column in self.columns if column.key)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


def _column(text: str) -> Column:
    name, _, kind = text.strip().partition(" ")
    kind = kind.strip() or "text"
    choices: tuple[str, ...] = ()
    if "|" in kind:
        kind, choices = "choice", tuple(kind.split("|"))
    kind, _, length = kind.partition(":")
    default = 64 if kind == "code" else 255
    return Column(
        name=name.strip("*!"),
        kind=kind,
        key=name.startswith("*"),
        required=name.endswith("!"),
        choices=choices,
        length=int(length or default),
    )


def _table(name: str, columns: str) -> Table:
    return Table(name, tuple(_column(part) for part in columns.split(",")))


_CURRENCY = "UAH|RUB|EUR|USD"

_INPUT = (
    _table(
        "parameters",
        "*jurisdiction! text:16, *key! text:80, *valid_from! date, value! text:200, valid_to date, act text:300,"
        "article text:120, evidence text:16",
    ),
    _table("calendar_days", "*jurisdiction! text:16, *date! date, kind! off|working"),
    _table("territories", "*code! code, name!, parent_code code, kind! urban|rural"),
    _table(
        "services",
        "*code! code, name_uk, name_ru, name_en, level simple|complex|auxiliary,"
        "form home|semi_residential|residential|remote, unit! hour|visit|day|trip, granularity! units,"
        "units_per_day_max units, units_per_month_max units, amount_per_year_max amount, group_size_max count,"
        "basic bool, free_for_all bool, one_off bool, cpv text:16",
    ),
    _table(
        "norm_costs",
        "*service_code! code, *territory_code code, *recipient_class code, *valid_from! date, unit_rate! rate,"
        "valid_to date, act text:300",
    ),
    _table(
        "budget_lines",
        "*code! code, *year! int, programme text:64, economic_code text:16, source text:64, amount! amount,"
        f"currency! {_CURRENCY}",
    ),
    _table(
        "providers",
        "*code! code, name!, sector! state|communal|nonprofit|private, iban text:34, vat_payer bool,"
        "active_from date, active_to date",
    ),
    _table("provider_suspensions", "*provider_code! code, *from_date! date, to_date date, reason text:300"),
    _table("workers", "*code! code, provider_code! code, name text"),
    _table("worker_qualifications", "*worker_code! code, *service_code! code, *valid_from! date, valid_to date"),
    _table(
        "contracts",
        "*number! code, provider_code! code, budget_line_code! code, basis! award|register|grant,"
        f"valid_from! date, valid_to date, ceiling amount, currency {_CURRENCY},"
        "status! pending|active|cancelled|terminated",
    ),
    _table(
        "contract_lines",
        "*contract_number! code, *service_code! code, *valid_from date, valid_to date, unit_rate! rate,"
        "units_ceiling units",
    ),
    _table(
        "recipients",
        "*code! code, name text, birth_date date, death_date date, territory_code code, recipient_class code",
    ),
    _table("absences", "*recipient_code! code, *kind! hospital|residential|away, *from_date! date, to_date date"),
    _table(
        "fee_assessments",
        "*recipient_code! code, *valid_from! date, mode! F|D|C, monthly_limit amount, valid_to date,decision text:200",
    ),
    _table(
        "plan_lines",
        "*recipient_code! code, *service_code! code, *valid_from! date, units_per_month! units, valid_to date",
    ),
    _table(
        "certificates",
        "*number! code, recipient_code! code, valid_from! date, valid_to date,"
        "status! active|cancelled|replaced, status_from date",
    ),
    _table("certificate_suspensions", "*certificate_number! code, *from_date! date, to_date date, reason text:300"),
    _table("certificate_lines", "*certificate_number! code, *service_code! code, units! units"),
    _table(
        "redemptions",
        "*code! code, channel! online|offline|reported, certificate_number code, provider_code code,"
        "worker_code code, service_code code, starts_at time, ends_at time, units units,"
        "status! authorised|confirmed|voided|expired|reversed",
    ),
    _table(
        "claims",
        "*number! code, provider_code! code, contract_number code, period! month, submitted_at! time,"
        "status! submitted|withdrawn|returned, run int, reverses code",
    ),
    _table(
        "claim_lines",
        "*claim_number! code, *line! int, redemption_code code, certificate_number code, service_code code,"
        "service_date! date, starts_at time, ends_at time, worker_code code, units! units, unit_rate! rate,"
        "amount! exact",
    ),
    _table(
        "clearances",
        "*run! int, *claim_number! code, *line! int, *check! text:8, decided_by text:150, reason text:400",
    ),
)

_OUTPUT = (
    _table(
        "adjudications",
        "*run int, *claim_number code, *line int, units_claimed units, units_allowed units, rate_claimed rate,"
        "rate_allowed rate, amount_claimed exact, gross exact, fee exact, payable exact,"
        "outcome accepted|reduced|rejected|pended",
    ),
    _table(
        "findings",
        "*run! int, *claim_number! code, *line! int, *check! check, severity! R|P|C|W, units! taken, amount! amount,"
        "detail text:4000",
    ),
    _table(
        "remittances",
        "*run int, *claim_number code, provider_code code, amount_claimed exact, reductions exact, pended exact,"
        "gross exact, fee exact, offsets exact, payable exact",
    ),
    _table(
        "postings",
        "entry code, date date, account text, debit exact, credit exact, currency text, claim_number code,"
        "payment_reference code",
    ),
    _table(
        "payments",
        "*reference code, provider_code code, iban text, amount exact, currency text, claims text, status text",
    ),
)

# What only some packages have: the file is written when it has rows, and a package without it is a whole one.
_OPTIONAL = (
    _table("clawbacks", "*period! month, *run! int, *provider_code! code, outstanding! amount"),
    _table("advances", "*period! month, *run! int, *contract_number! code, outstanding! amount"),
    # With the facts of one run: what the runs before it decided, on facts that the package does not have.
    _table("decided_runs", "*period! month, *run! int, turn! int"),
    _table(
        "decided_lines",
        "*run! int, *claim_number! code, *line! int, units_allowed! taken, rate_allowed! rate, gross! amount,"
        "fee! amount, outcome! accepted|reduced|rejected|pended",
    ),
    _table(
        "decided_findings",
        "*run! int, *claim_number! code, *line! int, *check! check, severity! R|P|C|W, units! taken, amount! amount,"
        "detail text:4000",
    ),
)

INPUT_TABLES: dict[str, Table] = {table.name: table for table in _INPUT}
OUTPUT_TABLES: dict[str, Table] = {table.name: table for table in _OUTPUT}
# What an import reads: findings of checks that a package cannot decide come in as given.
OPTIONAL_TABLES: dict[str, Table] = {table.name: table for table in _OPTIONAL}
READ_TABLES: dict[str, Table] = INPUT_TABLES | {"findings": OUTPUT_TABLES["findings"]} | OPTIONAL_TABLES
