# ruff: noqa: S608 - every piece of SQL here is a constant of this file; values are parameters
"""What each table of a package is read from: one query a table, codes instead of ids, canonical text, sorted by key.

Last days instead of exclusive ends; units with 3 decimals, rates with 4, money with 2 (a claimed amount keeps the
decimals it was written with); times with the offset of the municipality's zone.
"""

from __future__ import annotations

from dataclasses import dataclass

from settlement.facts_queries import NOT_HANDED_OVER
from settlement.term_queries import counted_sql

_EXCLUSIVE = "- 1"


def _text(column: str) -> str:
    return f"nullif({column}, '')"


def _last(column: str) -> str:
    return f"{column} {_EXCLUSIVE}"


def _bool(column: str) -> str:
    return f"CASE WHEN {column} THEN 'true' ELSE 'false' END"


def _time(column: str) -> str:
    parts = f"to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS')"
    fraction = f"CASE WHEN date_trunc('second', {column}) = {column} THEN '' ELSE to_char({column}, '.US') END"
    return f"{parts} || {fraction} || to_char({column}, 'TZH:TZM')"


def _fixed(column: str, places: int) -> str:
    return f"({column})::numeric(24,{places})"


def _scaled(column: str, stored: int, places: int) -> str:
    return f"({column}::numeric / {10**stored})::numeric(24,{places})"


def _minor(column: str) -> str:
    return _scaled(column, 2, 2)


def _pseudonym(kind: str, column: str) -> str:
    """A keyed fingerprint instead of a code when asked for; blank stays blank, equal codes stay equal."""
    hashed = f"left(encode(sha256(convert_to(%(secret)s || '{kind}' || {column}, 'UTF8')), 'hex'), 20)"
    return f"CASE WHEN {column} = '' THEN NULL WHEN %(pseudonymise)s THEN '{kind}-' || {hashed} ELSE {column} END"


def _free_text(column: str) -> str:
    return f"CASE WHEN %(pseudonymise)s THEN NULL ELSE nullif({column}, '') END"


def _status(alias: str) -> str:
    """The word that a package gave, where it is none of ours; it may say anything, so not with pseudonyms."""
    written = f"{alias}.status_written"
    return f"CASE WHEN {written} = '' OR %(pseudonymise)s THEN {alias}.status ELSE {written} END"


_CLAIMS_SHOWN = "c.organisation_id = %(org)s AND c.status <> 'draft' AND c.period <= %(until)s"
# A provider serves many: those that serve this municipality, and those that serve nobody yet.
_PROVIDERS_SHOWN = """SELECT p.id FROM contracts_provider p WHERE
    EXISTS (SELECT 1 FROM contracts_contract x WHERE x.provider_id = p.id AND x.organisation_id = %(org)s)
    OR EXISTS (SELECT 1 FROM settlement_claim x WHERE x.provider_id = p.id AND x.organisation_id = %(org)s)
    OR NOT EXISTS (SELECT 1 FROM contracts_contract x WHERE x.provider_id = p.id)
       AND NOT EXISTS (SELECT 1 FROM settlement_claim x WHERE x.provider_id = p.id)"""

_FRACTION = "CASE WHEN l.amount_e4 % 100 = 0 THEN {two}::text ELSE {four}::text END".replace("%", "%%").format(
    two=_scaled("l.amount_e4", 4, 2), four=_scaled("l.amount_e4", 4, 4)
)


@dataclass(frozen=True)
class Query:
    """Columns in the order of the table, the rest of the statement, and the sorting."""

    columns: tuple[str, ...]
    rest: str
    order: str

    @property
    def sql(self) -> str:
        """The whole statement; texts sort by code point everywhere."""
        return f"SELECT {', '.join(self.columns)} FROM {self.rest} ORDER BY {self.order}"


def _sorted(*columns: str) -> str:
    return ", ".join(f'{column} COLLATE "C"' for column in columns)


_RESIDENCE = """LATERAL (SELECT coalesce(y.code, '') AS territory, x.recipient_class
    FROM vouchers_recipientresidence x LEFT JOIN contracts_territory y ON y.id = x.territory_id
    WHERE x.recipient_id = r.id AND x.valid_from <= %(until)s ORDER BY x.valid_from DESC LIMIT 1)"""

# The law in force: the municipality's own rows; the national ones cut to where it has none of its own; the general
# ones cut to where the jurisdiction has none either, written under the jurisdiction for which they serve. What the
# municipality confirmed goes with the source that it gave.
_LAW = """(
    WITH known_parameter AS (
        SELECT t.organisation_id, t.jurisdiction, t.key, t.valid_from, t.value, t.valid_to,
               coalesce(c.act, t.act) AS act, coalesce(c.article, t.article) AS article,
               coalesce(c.evidence, t.evidence) AS evidence
        FROM contracts_parameter t LEFT JOIN LATERAL (
            SELECT p.act, p.article, p.evidence FROM contracts_parameterproposal p
            WHERE p.organisation_id = %(org)s AND p.status = 'approved' AND p.parameter_id IS NULL
              AND (p.key, p.valid_from, p.value) = (t.key, t.valid_from, t.value)
            ORDER BY p.id DESC LIMIT 1) c ON t.evidence IN ('MEM', ''))
    SELECT jurisdiction, key, valid_from, value, valid_to, act, article, evidence
    FROM known_parameter WHERE organisation_id = %(org)s
    UNION ALL
    SELECT %(jurisdiction)s, n.key, lower(piece), n.value, upper(piece), n.act, n.article, n.evidence
    FROM known_parameter n, LATERAL unnest(
        datemultirange(daterange(n.valid_from, n.valid_to)) - coalesce(
            (SELECT range_agg(daterange(o.valid_from, o.valid_to)) FROM contracts_parameter o
             WHERE o.key = n.key AND o.jurisdiction = %(jurisdiction)s AND (o.organisation_id = %(org)s
                 OR o.organisation_id IS NULL AND n.jurisdiction <> %(jurisdiction)s)),
            '{}'::datemultirange)) AS piece
    WHERE n.organisation_id IS NULL AND n.jurisdiction IN (%(jurisdiction)s, 'GENERIC')) p"""

_CALENDAR = """(
    SELECT jurisdiction, date, kind FROM contracts_calendarday WHERE organisation_id = %(org)s
    UNION ALL
    SELECT n.jurisdiction, n.date, n.kind FROM contracts_calendarday n
    WHERE n.organisation_id IS NULL AND n.jurisdiction = %(jurisdiction)s AND NOT EXISTS (
        SELECT 1 FROM contracts_calendarday o WHERE o.organisation_id = %(org)s
        AND o.jurisdiction = n.jurisdiction AND o.date = n.date)) d"""

REGISTERS: dict[str, Query] = {
    "parameters": Query(
        ("p.jurisdiction", "p.key", "p.valid_from", "p.value", _last("p.valid_to"), _text("p.act"),
         _text("p.article"), _text("p.evidence")),
        _LAW,
        f"{_sorted('p.jurisdiction', 'p.key')}, p.valid_from",
    ),
    "calendar_days": Query(
        ("d.jurisdiction", "d.date", "d.kind"), _CALENDAR, f"{_sorted('d.jurisdiction')}, d.date"
    ),
    "territories": Query(
        ("t.code", "t.name", "p.code", "t.kind"),
        "contracts_territory t LEFT JOIN contracts_territory p ON p.id = t.parent_id WHERE t.organisation_id = %(org)s",
        _sorted("t.code"),
    ),
    "services": Query(
        ("s.code", _text("s.name_uk"), _text("s.name_ru"), _text("s.name_en"), _text("s.level"), _text("s.form"),
         "s.unit", _fixed("s.granularity", 3), _fixed("s.units_per_day_max", 3), _fixed("s.units_per_month_max", 3),
         _fixed("s.amount_per_year_max", 2), "s.group_size_max", _bool("s.basic"), _bool("s.free_for_all"),
         _bool("s.one_off"), _text("s.cpv")),
        "contracts_service s WHERE s.organisation_id = %(org)s",
        _sorted("s.code"),
    ),
    "norm_costs": Query(
        ("s.code", "y.code", _text("n.recipient_class"), "n.valid_from", _fixed("n.unit_rate", 4),
         _last("n.valid_to"), _text("n.act")),
        "contracts_normcost n JOIN contracts_service s ON s.id = n.service_id "
        "LEFT JOIN contracts_territory y ON y.id = n.territory_id "
        "WHERE n.organisation_id = %(org)s AND n.status = 'approved'",
        f"{_sorted('s.code', 'coalesce(y.code, $$$$)', 'n.recipient_class')}, n.valid_from",
    ),
    "budget_lines": Query(
        ("b.code", "b.year", _text("b.programme"), _text("b.economic_code"), _text("b.source"),
         _fixed("b.amount", 2), "b.amount_currency"),
        "contracts_budgetline b WHERE b.organisation_id = %(org)s",
        f"{_sorted('b.code')}, b.year",
    ),
    "providers": Query(
        ("p.code", "p.name", "p.sector", _text("p.iban"), _bool("p.vat_payer"), "p.active_from", _last("p.active_to")),
        f"contracts_provider p WHERE p.id IN ({_PROVIDERS_SHOWN})",
        _sorted("p.code"),
    ),
    "provider_suspensions": Query(
        ("p.code", "s.from_date", _last("s.to_date"), _free_text("s.reason")),
        "contracts_providersuspension s JOIN contracts_provider p ON p.id = s.provider_id "
        f"WHERE p.id IN ({_PROVIDERS_SHOWN})",
        f"{_sorted('p.code')}, s.from_date",
    ),
    "workers": Query(
        (_pseudonym("W", "w.code"), "p.code", "w.name"),
        "contracts_worker w JOIN contracts_provider p ON p.id = w.provider_id "
        f"WHERE p.id IN ({_PROVIDERS_SHOWN})",
        _sorted(_pseudonym("W", "w.code")),
    ),
    "worker_qualifications": Query(
        (_pseudonym("W", "w.code"), "s.code", "q.valid_from", _last("q.valid_to")),
        "contracts_workerqualification q JOIN contracts_worker w ON w.id = q.worker_id "
        "JOIN contracts_service s ON s.id = q.service_id "
        f"WHERE s.organisation_id = %(org)s AND w.provider_id IN ({_PROVIDERS_SHOWN})",
        f"{_sorted(_pseudonym('W', 'w.code'), 's.code')}, q.valid_from",
    ),
    "contracts": Query(
        ("k.number", "p.code", "b.code", "k.basis", "k.valid_from", _last("k.valid_to"), _fixed("k.ceiling", 2),
         _text("k.ceiling_currency"), _status("k")),
        "contracts_contract k JOIN contracts_provider p ON p.id = k.provider_id "
        "JOIN contracts_budgetline b ON b.id = k.budget_line_id WHERE k.organisation_id = %(org)s",
        _sorted("k.number"),
    ),
    "contract_lines": Query(
        ("k.number", "s.code", "l.valid_from", _last("l.valid_to"), _fixed("l.unit_rate", 4),
         _fixed("l.units_ceiling", 3)),
        "contracts_contractline l JOIN contracts_contract k ON k.id = l.contract_id "
        "JOIN contracts_service s ON s.id = l.service_id WHERE k.organisation_id = %(org)s",
        f"{_sorted('k.number', 's.code')}, l.valid_from NULLS FIRST",
    ),
}  # fmt: skip

_R = _pseudonym("R", "r.code")
_C = _pseudonym("C", "c.number")
_V = _pseudonym("V", "r.code")

# Adjudication compares the days of services with the day of death. No service of that day or later: any later day
# serves as well, and with pseudonyms the end of the month stands for it, also where certificates end because of it.
_SERVED_AFTER_DEATH = """EXISTS (
    SELECT 1 FROM settlement_claimline l LEFT JOIN vouchers_redemption v ON v.id = l.redemption_id
    JOIN vouchers_certificate x ON x.id IN (l.certificate_id, v.certificate_id)
    WHERE x.recipient_id = r.id AND coalesce(l.service_date, l.starts_at::date) >= r.death_date)"""
_MONTH_END = "(date_trunc('month', r.death_date) + interval '1 month - 1 day')::date"
_DEATH = f"CASE WHEN %(pseudonymise)s AND NOT {_SERVED_AFTER_DEATH} THEN {_MONTH_END} ELSE r.death_date END"
_STATUS_FROM = f"CASE WHEN c.status_from = r.death_date + 1 THEN ({_DEATH}) + 1 ELSE c.status_from END"

ENTITLEMENTS: dict[str, Query] = {
    "recipients": Query(
        (_R, "r.name",
         "CASE WHEN %(pseudonymise)s THEN date_trunc('year', r.birth_date)::date ELSE r.birth_date END",
         _DEATH, _text("y.territory"), _text("y.recipient_class")),
        f"vouchers_recipient r LEFT JOIN {_RESIDENCE} y ON true WHERE r.organisation_id = %(org)s",
        _sorted(_R),
    ),
    "absences": Query(
        (_R, "a.kind", "a.from_date", _last("a.to_date")),
        "vouchers_absence a JOIN vouchers_recipient r ON r.id = a.recipient_id WHERE r.organisation_id = %(org)s",
        f"{_sorted(_R, 'a.kind')}, a.from_date",
    ),
    "fee_assessments": Query(
        (_R, "f.valid_from", "f.mode", _fixed("f.monthly_limit", 2), _last("f.valid_to"), _free_text("f.decision")),
        "vouchers_feeassessment f JOIN vouchers_recipient r ON r.id = f.recipient_id WHERE r.organisation_id = %(org)s",
        f"{_sorted(_R)}, f.valid_from",
    ),
    "plan_lines": Query(
        (_R, "s.code", "l.valid_from", _fixed("l.units_per_month", 3), _last("l.valid_to")),
        "vouchers_planline l JOIN vouchers_recipient r ON r.id = l.recipient_id "
        "JOIN contracts_service s ON s.id = l.service_id WHERE r.organisation_id = %(org)s",
        f"{_sorted(_R, 's.code')}, l.valid_from",
    ),
    "certificates": Query(
        (_C, _R, "c.valid_from", _last("c.valid_to"),
         "CASE WHEN c.status IN ('cancelled', 'replaced') THEN c.status ELSE 'active' END", _STATUS_FROM),
        "vouchers_certificate c JOIN vouchers_recipient r ON r.id = c.recipient_id "
        f"WHERE c.organisation_id = %(org)s AND c.status NOT IN {NOT_HANDED_OVER}",
        _sorted(_C),
    ),
    "certificate_suspensions": Query(
        (_C, "s.from_date", _last("s.to_date"), _free_text("s.reason")),
        "vouchers_certificatesuspension s JOIN vouchers_certificate c ON c.id = s.certificate_id "
        f"WHERE c.organisation_id = %(org)s AND c.status NOT IN {NOT_HANDED_OVER}",
        f"{_sorted(_C)}, s.from_date",
    ),
    "certificate_lines": Query(
        (_C, "s.code", _fixed("l.units", 3)),
        "vouchers_certificateline l JOIN vouchers_certificate c ON c.id = l.certificate_id "
        "JOIN contracts_service s ON s.id = l.service_id "
        f"WHERE c.organisation_id = %(org)s AND c.status NOT IN {NOT_HANDED_OVER}",
        _sorted(_C, "s.code"),
    ),
    "redemptions": Query(
        (_V, "r.channel", _pseudonym("C", "r.certificate_number"), _text("r.provider_code"),
         _pseudonym("W", "r.worker_code"), _text("r.service_code"), _time("r.starts_at"), _time("r.ends_at"),
         # A visit that did not take place has no units; zero would not be a number of units.
         _scaled("NULLIF(r.units_milli, 0)", 3, 3), _status("r")),
        "vouchers_redemption r WHERE r.organisation_id = %(org)s AND (r.starts_at IS NULL "
        "OR r.starts_at::date <= (%(until)s + interval '1 month - 1 day')::date "
        "OR EXISTS (SELECT 1 FROM settlement_claimline l JOIN settlement_claim c ON c.id = l.claim_id "
        f"WHERE l.redemption_code = r.code AND {_CLAIMS_SHOWN}))",
        _sorted(_V),
    ),
}  # fmt: skip

EVIDENCE: dict[str, Query] = {
    "claims": Query(
        ("c.number", "p.code", _text("c.contract_number"), "to_char(c.period, 'YYYY-MM')",
         _time(counted_sql("c")),
         # Rejected without a run: it lapsed uncorrected, and nobody judges it, like one that was withdrawn.
         "CASE WHEN c.status IN ('returned', 'withdrawn') THEN c.status "
         "WHEN c.status = 'rejected' AND c.run IS NULL THEN 'withdrawn' ELSE 'submitted' END",
         "coalesce(c.run, (SELECT min(n.number) FROM settlement_remittance m "
         "JOIN settlement_adjudicationrun n ON n.id = m.run_id WHERE m.claim_id = c.id))",
         "v.number"),
        "settlement_claim c JOIN contracts_provider p ON p.id = c.provider_id "
        f"LEFT JOIN settlement_claim v ON v.id = c.reverses_id WHERE {_CLAIMS_SHOWN}",
        _sorted("c.number"),
    ),
    "claim_lines": Query(
        ("c.number", "l.line", _pseudonym("V", "l.redemption_code"), _pseudonym("C", "l.certificate_number"),
         _text("l.service_code"), "l.service_date", _time("l.starts_at"), _time("l.ends_at"),
         _pseudonym("W", "l.worker_code"), _scaled("l.units_milli", 3, 3), _scaled("l.unit_rate_e4", 4, 4), _FRACTION),
        f"settlement_claimline l JOIN settlement_claim c ON c.id = l.claim_id WHERE {_CLAIMS_SHOWN}",
        f"{_sorted('c.number')}, l.line",
    ),
    "clearances": Query(
        ("x.run", "c.number", "l.line", "x.check_code", _free_text("x.decided_by"), _free_text("x.reason")),
        "settlement_clearance x JOIN settlement_claimline l ON l.id = x.claim_line_id "
        f"JOIN settlement_claim c ON c.id = l.claim_id WHERE {_CLAIMS_SHOWN}",
        f"x.run, {_sorted('c.number')}, l.line, {_sorted('x.check_code')}",
    ),
}  # fmt: skip

_RUNS_SHOWN = (
    "n.organisation_id = %(org)s AND n.status = 'done' "
    "AND (%(period)s::date IS NULL OR n.period = %(period)s) AND (%(run)s::int IS NULL OR n.number = %(run)s)"
)
_ONLY = "(%(period)s::date IS NULL OR {period} = %(period)s)"

# What the runs found, what came with a package in its own words; and what waits for a run that is still to come.
_FINDINGS = f"""(
    SELECT n.period, n.number AS run, f.claim_line_id, f.check_code, f.severity, f.units, f.amount,
        CASE WHEN g.id IS NULL THEN f.detail::text ELSE nullif(g.detail, '') END AS detail
    FROM settlement_finding f JOIN settlement_adjudicationrun n ON n.id = f.run_id
    LEFT JOIN settlement_givenfinding g
        ON g.claim_line_id = f.claim_line_id AND g.run = n.number AND g.check_code = f.check_code
    WHERE {_RUNS_SHOWN}
    UNION ALL
    SELECT k.period, g.run, g.claim_line_id, g.check_code, g.severity, g.units, g.amount, nullif(g.detail, '')
    FROM settlement_givenfinding g JOIN settlement_claimline l ON l.id = g.claim_line_id
    JOIN settlement_claim k ON k.id = l.claim_id
    WHERE k.organisation_id = %(org)s AND k.status <> 'draft'
      AND {_ONLY.format(period="k.period")} AND (%(run)s::int IS NULL OR g.run = %(run)s)
      AND NOT EXISTS (SELECT 1 FROM settlement_adjudicationrun n WHERE n.organisation_id = k.organisation_id
          AND n.period = k.period AND n.number = g.run AND n.status = 'done'))"""

RESULTS: dict[str, Query] = {
    "adjudications": Query(
        ("n.number", "c.number", "l.line", _scaled("a.units_claimed", 3, 3), _scaled("a.units_allowed", 3, 3),
         _scaled("a.rate_claimed", 4, 4), _scaled("a.rate_allowed", 4, 4), _minor("a.amount_claimed"),
         _minor("a.gross"), _minor("a.fee"), _minor("a.payable"), "a.outcome"),
        "settlement_adjudication a JOIN settlement_adjudicationrun n ON n.id = a.run_id "
        "JOIN settlement_claim c ON c.id = a.claim_id JOIN settlement_claimline l ON l.id = a.claim_line_id "
        f"WHERE {_RUNS_SHOWN}",
        f"n.period, n.number, {_sorted('c.number')}, l.line, a.id",
    ),
    "findings": Query(
        ("f.run", "c.number", "l.line", "f.check_code", "f.severity", _scaled("f.units", 3, 3),
         _minor("f.amount"), "CASE WHEN %(pseudonymise)s THEN NULL ELSE f.detail END"),
        f"{_FINDINGS} f JOIN settlement_claimline l ON l.id = f.claim_line_id "
        "JOIN settlement_claim c ON c.id = l.claim_id",
        f"f.period, f.run, {_sorted('c.number')}, l.line, {_sorted('f.check_code')}",
    ),
    "remittances": Query(
        ("n.number", "c.number", "p.code", _minor("m.amount_claimed"), _minor("m.reductions"), _minor("m.pended"),
         _minor("m.gross"), _minor("m.fee"), _minor("m.offsets"), _minor("m.payable")),
        "settlement_remittance m JOIN settlement_adjudicationrun n ON n.id = m.run_id "
        "JOIN settlement_claim c ON c.id = m.claim_id JOIN contracts_provider p ON p.id = m.provider_id "
        f"WHERE {_RUNS_SHOWN}",
        f"n.period, n.number, {_sorted('c.number')}",
    ),
    "postings": Query(
        ("e.number", "e.date", "a.code", _minor("p.debit"), _minor("p.credit"), "p.currency", "c.number",
         "y.reference"),
        "settlement_posting p JOIN settlement_entry e ON e.id = p.entry_id "
        "JOIN settlement_account a ON a.id = p.account_id LEFT JOIN settlement_claim c ON c.id = p.claim_id "
        "LEFT JOIN settlement_payment y ON y.id = p.payment_id "
        "LEFT JOIN settlement_paymentrun u ON u.id = y.payment_run_id "
        "WHERE e.organisation_id = %(org)s AND "
        + _ONLY.format(period="coalesce(c.period, u.period, date_trunc('month', e.date)::date)"),
        f"{_sorted('e.number', 'a.code')}, p.id",
    ),
    "payments": Query(
        ("y.reference", "p.code", "y.iban", _fixed("y.amount", 2), "y.amount_currency",
         "(SELECT string_agg(c.number, ' ' ORDER BY c.number COLLATE \"C\") FROM settlement_paymentremittance i "
         "JOIN settlement_remittance m ON m.id = i.remittance_id JOIN settlement_claim c ON c.id = m.claim_id "
         "WHERE i.payment_id = y.id)", "y.status"),
        "settlement_payment y JOIN contracts_provider p ON p.id = y.provider_id "
        "JOIN settlement_paymentrun u ON u.id = y.payment_run_id WHERE y.organisation_id = %(org)s AND "
        + _ONLY.format(period="u.period"),
        _sorted("y.reference"),
    ),
}  # fmt: skip

# What runs kept back remittances for (CLM-46): by it anybody recalculates the offsets.
OPTIONAL_QUERIES: dict[str, Query] = {
    "clawbacks": Query(
        ("to_char(s.period, 'YYYY-MM')", "s.run", "p.code", _minor("s.outstanding_minor")),
        "settlement_clawbackstanding s JOIN contracts_provider p ON p.id = s.provider_id "
        "WHERE s.organisation_id = %(org)s AND s.period <= %(until)s",
        f"s.period, s.run, {_sorted('p.code')}",
    ),
    # The same of what was paid before by advances, which claims use up first.
    "advances": Query(
        ("to_char(s.period, 'YYYY-MM')", "s.run", "k.number", _minor("s.outstanding_minor")),
        "settlement_advancestanding s JOIN contracts_contract k ON k.id = s.contract_id "
        "WHERE s.organisation_id = %(org)s AND s.period <= %(until)s",
        f"s.period, s.run, {_sorted('k.number')}",
    ),
}
INPUT_QUERIES: dict[str, Query] = REGISTERS | ENTITLEMENTS | EVIDENCE
OUTPUT_QUERIES: dict[str, Query] = RESULTS
