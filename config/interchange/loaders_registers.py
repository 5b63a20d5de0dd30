# ruff: noqa: S608 - every piece of SQL is a constant; values are parameters
"""How the tables of law, catalogue, providers and contracts become rows of the database.

In packages the last day counts; in the database ranges are half-open: every end moves by one day.
"""

from __future__ import annotations

from config.interchange.cells import CellError, clean_number
from config.interchange.mapping import (
    CONTRACTS,
    OWN,
    PROVIDERS,
    SERVICES,
    TERRITORIES,
    WORKERS,
    last_day,
    link,
    same,
    to,
    valid_range,
)
from config.interchange.specs import Check, Loader, Reference
from contracts.models import (
    BudgetLine,
    CalendarDay,
    Contract,
    ContractLine,
    NormCost,
    Parameter,
    Provider,
    ProviderSuspension,
    Service,
    Territory,
    Worker,
    WorkerQualification,
)
from settlement.rules.facts import FIRST_DAY, LAST_DAY
from settlement.rules.parameters import DECEMBER_STOP, KEYS, parse_parameters


def read_parameter(key: str, value: str) -> str:
    """The value as adjudication reads it, a decimal comma made a point; keys of other matters stay as they are.

    Raises: CellError when adjudication could not read it.
    """
    if key not in KEYS:
        return value
    text = value.strip() if key == DECEMBER_STOP else clean_number(value)
    try:
        parse_parameters([(key, FIRST_DAY, LAST_DAY, text)])
    except ValueError as problem:
        raise CellError("VALUE") from problem
    return text


_NATIONAL = """FROM {table} t WHERE s.known_id IS NULL
    AND t.organisation_id IS NULL AND (t.jurisdiction = s.jurisdiction
        OR t.jurisdiction = 'GENERIC' AND s.jurisdiction = %(jurisdiction)s) AND {rest}"""

_LATER_LAW = (
    "(SELECT jurisdiction, key, valid_from, daterange(valid_from, valid_to + 1) AS held FROM stage_parameters "
    "UNION ALL SELECT jurisdiction, key, valid_from, daterange(valid_from, valid_to) FROM contracts_parameter t "
    f"WHERE {OWN}) o WHERE o.jurisdiction = s.jurisdiction AND o.key = s.key AND o.valid_from > s.valid_from"
)
# Of overlapping values of a key the latest start wins, so each is cut to the days on which it holds.
_LATEST_WINS = (
    # A stored value without an end gives way to a new one; what would hold again after it must be in the package.
    # Its end counts as known since it was, as the facts of a package do.
    f"""UPDATE contracts_parameter t SET valid_to = n.valid_from,
        changed_at = GREATEST(t.recorded_at, t.changed_at + interval '1 microsecond') FROM stage_parameters n
    WHERE {OWN} AND t.valid_to IS NULL
    AND n.jurisdiction = t.jurisdiction AND n.key = t.key AND n.valid_from > t.valid_from
    AND NOT EXISTS (SELECT 1 FROM stage_parameters e WHERE e.jurisdiction = t.jurisdiction AND e.key = t.key
        AND e.valid_from > t.valid_from AND e.valid_from < n.valid_from)
    AND (n.valid_to IS NULL OR EXISTS (SELECT 1 FROM stage_parameters a
        WHERE a.jurisdiction = t.jurisdiction AND a.key = t.key AND a.valid_from = t.valid_from AND a.valid_to IS NULL
        AND (a.value, a.act, a.article, a.evidence) = (t.value, t.act, t.article, t.evidence)))""",
    # A value that outlasts a later one holds again when that one ends: a row of its own.
    f"""INSERT INTO stage_parameters (row_no, jurisdiction, key, valid_from, value, valid_to, act, article, evidence)
    SELECT s.row_no, s.jurisdiction, s.key, lower(piece), s.value, upper(piece) - 1, s.act, s.article, s.evidence
    FROM stage_parameters s, LATERAL unnest(datemultirange(daterange(s.valid_from, s.valid_to + 1))
        - coalesce((SELECT range_agg(o.held) FROM {_LATER_LAW}), '{{}}'::datemultirange)) AS piece
    WHERE lower(piece) > s.valid_from""",
    f"""UPDATE stage_parameters s SET valid_to = least(s.valid_to, (SELECT min(o.valid_from) FROM {_LATER_LAW}) - 1)""",
)

PARAMETERS = Loader(
    name="parameters",
    model=Parameter,
    fields=(*same("jurisdiction", "key", "valid_from", "value", "act", "article", "evidence"), last_day()),
    constants={"organisation_id": "%(org)s"},
    match=f"{OWN} AND t.jurisdiction = s.jurisdiction AND t.key = s.key AND t.valid_from = s.valid_from",
    # What the national law already says is not repeated; a municipality's own row wins over it.
    also_known=_NATIONAL.format(
        table="contracts_parameter",
        rest="t.key = s.key AND t.valid_from = s.valid_from AND t.value = s.value AND t.act = s.act "
        "AND t.article = s.article AND t.evidence = s.evidence AND t.valid_to IS NOT DISTINCT FROM s.valid_to + 1",
    ),
    refined=("key", "value", read_parameter),
    arrange=_LATEST_WINS,
    checks=(valid_range(),),
    overlap="s.jurisdiction, s.key",
    overlap_match=f"{OWN} AND t.jurisdiction = s.jurisdiction AND t.key = s.key",
)

CALENDAR = Loader(
    name="calendar_days",
    model=CalendarDay,
    fields=same("jurisdiction", "date", "kind"),
    constants={"organisation_id": "%(org)s"},
    match=f"{OWN} AND t.jurisdiction = s.jurisdiction AND t.date = s.date",
    also_known=_NATIONAL.format(table="contracts_calendarday", rest="t.date = s.date AND t.kind = s.kind"),
)

TERRITORY = Loader(
    name="territories",
    model=Territory,
    fields=(
        *same("code", "name", "kind"),
        to(
            "parent_code",
            "",
            known="coalesce((SELECT p.code FROM contracts_territory p WHERE p.id = t.parent_id), '')",
        ),
    ),
    constants={"organisation_id": "%(org)s"},
    match=f"{OWN} AND t.code = s.code",
    checks=(
        Check(
            "REFERENCE",
            "parent_code",
            "s.parent_code <> '' AND NOT EXISTS (SELECT 1 FROM stage_territories p WHERE p.code = s.parent_code) "
            f"AND NOT EXISTS (SELECT 1 FROM {TERRITORIES} p WHERE p.code = s.parent_code)",
        ),
    ),
    # Parents may stand below their children: they are linked when all are there.
    after=(
        f"UPDATE contracts_territory t SET parent_id = p.id FROM stage_territories s, {TERRITORIES} p "
        f"WHERE {OWN} AND t.code = s.code AND s.known_id IS NULL AND p.code = s.parent_code",
    ),
)

SERVICE = Loader(
    name="services",
    model=Service,
    fields=same(
        "code", "name_uk", "name_ru", "name_en", "level", "form", "unit", "granularity", "units_per_day_max",
        "units_per_month_max", "amount_per_year_max", "group_size_max", "basic", "free_for_all", "one_off", "cpv",
    ),
    constants={"organisation_id": "%(org)s"},
    match=f"{OWN} AND t.code = s.code",
)  # fmt: skip

NORM = Loader(
    name="norm_costs",
    model=NormCost,
    fields=(
        link("service_code", "service_id"),
        link("territory_code", "territory_id"),
        *same("recipient_class", "valid_from", "unit_rate", "act"),
        last_day(),
    ),
    constants={"organisation_id": "%(org)s", "status": "'approved'", "status_at": "%(at)s"},
    references=(
        Reference("service_code", "services", SERVICES),
        Reference("territory_code", "territories", TERRITORIES),
    ),
    match=f"{OWN} AND t.status = 'approved' AND t.service_id = s.service_code_id AND t.valid_from = s.valid_from "
    "AND t.territory_id IS NOT DISTINCT FROM s.territory_code_id AND t.recipient_class = s.recipient_class",
    checks=(valid_range(),),
    overlap="s.service_code, s.territory_code, s.recipient_class",
    overlap_match="t.status = 'approved' AND t.service_id = s.service_code_id "
    "AND t.territory_id IS NOT DISTINCT FROM s.territory_code_id AND t.recipient_class = s.recipient_class",
)

BUDGET = Loader(
    name="budget_lines",
    model=BudgetLine,
    fields=(
        *same("code", "year", "programme", "economic_code", "source", "amount"),
        to("currency", "amount_currency"),
    ),
    constants={"organisation_id": "%(org)s"},
    match=f"{OWN} AND t.code = s.code AND t.year = s.year",
    checks=(Check("TOO_LARGE", "year", "s.year > 9999"),),
)

# A provider serves many municipalities, and each writes its name in its own way: the account tells that it is the one.
_SAME_PROVIDER = "s.iban <> '' AND t.iban = s.iban"

PROVIDER = Loader(
    name="providers",
    model=Provider,
    fields=(
        *same("code", "sector", "vat_payer", "active_from"),
        last_day("active_to"),
        to("name", "name", known="s.name"),
        to("iban", "iban", known="CASE WHEN s.iban = '' THEN '' ELSE t.iban END"),
    ),
    match="t.code = s.code",
    checks=(
        valid_range("active_from", "active_to"),
        Check(
            "OTHER_PROVIDER",
            "name",
            "EXISTS (SELECT 1 FROM contracts_provider t "
            f"WHERE t.code = s.code AND t.name <> s.name AND NOT ({_SAME_PROVIDER}))",
        ),
    ),
    kept=f"t.name <> s.name AND {_SAME_PROVIDER}",
)

PROVIDER_SUSPENSION = Loader(
    name="provider_suspensions",
    model=ProviderSuspension,
    fields=(link("provider_code", "provider_id"), *same("from_date", "reason"), last_day("to_date")),
    references=(Reference("provider_code", "providers", PROVIDERS),),
    match="t.provider_id = s.provider_code_id AND t.from_date = s.from_date",
    checks=(valid_range("from_date", "to_date"),),
)

WORKER = Loader(
    name="workers",
    model=Worker,
    fields=(*same("code"), link("provider_code", "provider_id"), to("", "name", "s.name")),
    references=(Reference("provider_code", "providers", PROVIDERS),),
    match="t.code = s.code",
    checks=(
        Check(
            "OTHER_WORKER",
            "provider_code",
            "EXISTS (SELECT 1 FROM contracts_worker t WHERE t.code = s.code AND t.provider_id <> s.provider_code_id)",
        ),
    ),
    personal="name",
    # Provider and code say who it is; municipalities may write the name in their own way.
    kept="true",
)

QUALIFICATION = Loader(
    name="worker_qualifications",
    model=WorkerQualification,
    fields=(
        link("worker_code", "worker_id"),
        link("service_code", "service_id"),
        *same("valid_from"),
        last_day(),
    ),
    references=(
        Reference("worker_code", "workers", WORKERS),
        Reference("service_code", "services", SERVICES),
    ),
    match="t.worker_id = s.worker_code_id AND t.service_id = s.service_code_id AND t.valid_from = s.valid_from",
    checks=(valid_range(),),
)

# A contract is served from the budget line of its first year, or from the nearest year that has the code.
_BUDGET_LINE = (
    "(SELECT b.id FROM contracts_budgetline b WHERE b.organisation_id = %(org)s AND b.code = s.budget_line_code "
    "ORDER BY abs(b.year - extract(year FROM s.valid_from)), b.year LIMIT 1)"
)

CONTRACT = Loader(
    name="contracts",
    model=Contract,
    fields=(
        *same("number", "basis", "valid_from", "ceiling"),
        link("provider_code", "provider_id"),
        to("budget_line_code", "budget_line_id", _BUDGET_LINE),
        last_day(),
        to("currency", "ceiling_currency", "nullif(s.currency, '')"),
    ),
    constants={"organisation_id": "%(org)s"},
    references=(
        Reference("provider_code", "providers", PROVIDERS),
        Reference(
            "budget_line_code",
            "budget_lines",
            "(SELECT min(id) AS id, code FROM contracts_budgetline WHERE organisation_id = %(org)s GROUP BY code)",
        ),
    ),
    match=f"{OWN} AND t.number = s.number",
    # Only whether a contract is active counts in adjudication: any other word says that it is not.
    otherwise={"status": "terminated"},
    checks=(valid_range(),),
)

CONTRACT_LINE = Loader(
    name="contract_lines",
    model=ContractLine,
    fields=(
        link("contract_number", "contract_id"),
        link("service_code", "service_id"),
        *same("valid_from", "unit_rate", "units_ceiling"),
        last_day(),
    ),
    references=(
        Reference("contract_number", "contracts", CONTRACTS),
        Reference("service_code", "services", SERVICES),
    ),
    match="t.contract_id = s.contract_number_id AND t.service_id = s.service_code_id "
    "AND t.valid_from IS NOT DISTINCT FROM s.valid_from",
    checks=(valid_range(),),
)

REGISTER_LOADERS: tuple[Loader, ...] = (
    PARAMETERS, CALENDAR, TERRITORY, SERVICE, NORM, BUDGET, PROVIDER, PROVIDER_SUSPENSION, WORKER, QUALIFICATION,
    CONTRACT, CONTRACT_LINE,
)  # fmt: skip
