# ruff: noqa: S608 - every piece of SQL here is a constant of this file; values are parameters
"""What each input table of a package is read from: one query a table, codes instead of ids, sorted by key."""

from __future__ import annotations

from config.interchange.export_sql import (
    CLAIMS_SHOWN,
    Query,
    by_code_point,
    fixed,
    free_text,
    known,
    last_day,
    moment,
    pseudonym,
    recorded,
    scaled,
    status_word,
    text,
    yes_or_no,
)
from settlement.facts_queries import NOT_HANDED_OVER
from settlement.term_queries import counted_sql

# A provider serves many: those that serve this municipality, and those that serve nobody yet.
_PROVIDERS_SHOWN = """SELECT p.id FROM contracts_provider p WHERE
    EXISTS (SELECT 1 FROM contracts_contract x WHERE x.provider_id = p.id AND x.organisation_id = %(org)s)
    OR EXISTS (SELECT 1 FROM settlement_claim x WHERE x.provider_id = p.id AND x.organisation_id = %(org)s)
    OR NOT EXISTS (SELECT 1 FROM contracts_contract x WHERE x.provider_id = p.id)
       AND NOT EXISTS (SELECT 1 FROM settlement_claim x WHERE x.provider_id = p.id)"""

_FRACTION = "CASE WHEN l.amount_e4 % 100 = 0 THEN {two}::text ELSE {four}::text END".replace("%", "%%").format(
    two=scaled("l.amount_e4", 4, 2), four=scaled("l.amount_e4", 4, 4)
)

# The one in force at the end of the month.
RESIDENCE = f"""(SELECT DISTINCT ON (x.recipient_id) x.recipient_id, x.territory_id,
        coalesce(y.code, '') AS territory, x.recipient_class
    FROM {known("vouchers_recipientresidence", "x")} LEFT JOIN contracts_territory y ON y.id = x.territory_id
    WHERE x.valid_from <= %(month)s AND {recorded("x")} ORDER BY x.recipient_id, x.valid_from DESC)"""

# The law in force: the municipality's own rows; the national ones cut to where it has none of its own; the general
# ones cut to where the jurisdiction has none either, written under the jurisdiction for which they serve. What the
# municipality confirmed goes with the source that it gave.
_LAW = f"""(
    WITH law AS (SELECT t.* FROM {known("contracts_parameter", "t")} WHERE {recorded("t")}), known_parameter AS (
        SELECT t.organisation_id, t.jurisdiction, t.key, t.valid_from, t.value, t.valid_to,
               coalesce(c.act, t.act) AS act, coalesce(c.article, t.article) AS article,
               coalesce(c.evidence, t.evidence) AS evidence
        FROM law t LEFT JOIN LATERAL (
            SELECT p.act, p.article, p.evidence FROM contracts_parameterproposal p
            WHERE p.organisation_id = %(org)s AND p.status = 'approved' AND p.parameter_id IS NULL AND p.reason = ''
              AND p.status_at <= %(known_at)s AND (p.key, p.valid_from, p.value) = (t.key, t.valid_from, t.value)
            ORDER BY p.id DESC LIMIT 1) c ON t.evidence IN ('MEM', ''))
    SELECT jurisdiction, key, valid_from, value, valid_to, act, article, evidence
    FROM known_parameter WHERE organisation_id = %(org)s
    UNION ALL
    SELECT %(jurisdiction)s, n.key, lower(piece), n.value, upper(piece), n.act, n.article, n.evidence
    FROM known_parameter n, LATERAL unnest(
        datemultirange(daterange(n.valid_from, n.valid_to)) - coalesce(
            (SELECT range_agg(daterange(o.valid_from, o.valid_to)) FROM law o
             WHERE o.key = n.key AND o.jurisdiction = %(jurisdiction)s AND (o.organisation_id = %(org)s
                 OR o.organisation_id IS NULL AND n.jurisdiction <> %(jurisdiction)s)),
            '{{}}'::datemultirange)) AS piece
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
        ("p.jurisdiction", "p.key", "p.valid_from", "p.value", last_day("p.valid_to"), text("p.act"),
         text("p.article"), text("p.evidence")),
        _LAW,
        f"{by_code_point('p.jurisdiction', 'p.key')}, p.valid_from",
    ),
    "calendar_days": Query(
        ("d.jurisdiction", "d.date", "d.kind"), _CALENDAR, f"{by_code_point('d.jurisdiction')}, d.date"
    ),
    "territories": Query(
        ("t.code", "t.name", "p.code", "t.kind"),
        "contracts_territory t LEFT JOIN contracts_territory p ON p.id = t.parent_id WHERE t.organisation_id = %(org)s",
        by_code_point("t.code"),
    ),
    "services": Query(
        ("s.code", text("s.name_uk"), text("s.name_ru"), text("s.name_en"), text("s.level"), text("s.form"),
         "s.unit", fixed("s.granularity", 3), fixed("s.units_per_day_max", 3), fixed("s.units_per_month_max", 3),
         fixed("s.amount_per_year_max", 2), "s.group_size_max", yes_or_no("s.basic"), yes_or_no("s.free_for_all"),
         yes_or_no("s.one_off"), text("s.cpv")),
        "contracts_service s WHERE s.organisation_id = %(org)s",
        by_code_point("s.code"),
    ),
    "norm_costs": Query(
        ("s.code", "y.code", text("n.recipient_class"), "n.valid_from", fixed("n.unit_rate", 4),
         last_day("n.valid_to"), text("n.act")),
        f"{known('contracts_normcost', 'n')} JOIN contracts_service s ON s.id = n.service_id "
        "LEFT JOIN contracts_territory y ON y.id = n.territory_id "
        f"WHERE n.organisation_id = %(org)s AND n.status = 'approved' AND {recorded('n')}",
        f"{by_code_point('s.code', 'coalesce(y.code, $$$$)', 'n.recipient_class')}, n.valid_from",
    ),
    "budget_lines": Query(
        ("b.code", "b.year", text("b.programme"), text("b.economic_code"), text("b.source"),
         fixed("b.amount", 2), "b.amount_currency"),
        "contracts_budgetline b WHERE b.organisation_id = %(org)s",
        f"{by_code_point('b.code')}, b.year",
    ),
    "providers": Query(
        ("p.code", "p.name", "p.sector", text("p.iban"), yes_or_no("p.vat_payer"), "p.active_from",
         last_day("p.active_to")),
        f"{known('contracts_provider', 'p')} WHERE p.id IN ({_PROVIDERS_SHOWN})",
        by_code_point("p.code"),
    ),
    "provider_suspensions": Query(
        ("p.code", "s.from_date", last_day("s.to_date"), free_text("s.reason")),
        f"{known('contracts_providersuspension', 's')} JOIN contracts_provider p ON p.id = s.provider_id "
        f"WHERE p.id IN ({_PROVIDERS_SHOWN}) AND {recorded('s')}",
        f"{by_code_point('p.code')}, s.from_date",
    ),
    "workers": Query(
        (pseudonym("W", "w.code"), "p.code", "w.name"),
        "contracts_worker w JOIN contracts_provider p ON p.id = w.provider_id "
        f"WHERE p.id IN ({_PROVIDERS_SHOWN})",
        by_code_point(pseudonym("W", "w.code")),
    ),
    "worker_qualifications": Query(
        (pseudonym("W", "w.code"), "s.code", "q.valid_from", last_day("q.valid_to")),
        f"{known('contracts_workerqualification', 'q')} JOIN contracts_worker w ON w.id = q.worker_id "
        "JOIN contracts_service s ON s.id = q.service_id "
        f"WHERE s.organisation_id = %(org)s AND w.provider_id IN ({_PROVIDERS_SHOWN}) AND {recorded('q')}",
        f"{by_code_point(pseudonym('W', 'w.code'), 's.code')}, q.valid_from",
    ),
    "contracts": Query(
        ("k.number", "p.code", "b.code", "k.basis", "k.valid_from", last_day("k.valid_to"), fixed("k.ceiling", 2),
         text("k.ceiling_currency"), status_word("k")),
        f"{known('contracts_contract', 'k')} JOIN contracts_provider p ON p.id = k.provider_id "
        "JOIN contracts_budgetline b ON b.id = k.budget_line_id WHERE k.organisation_id = %(org)s",
        by_code_point("k.number"),
    ),
    "contract_lines": Query(
        ("k.number", "s.code", "l.valid_from", last_day("l.valid_to"), fixed("l.unit_rate", 4),
         fixed("l.units_ceiling", 3)),
        f"{known('contracts_contractline', 'l')} JOIN contracts_contract k ON k.id = l.contract_id "
        f"JOIN contracts_service s ON s.id = l.service_id WHERE k.organisation_id = %(org)s AND {recorded('l')}",
        f"{by_code_point('k.number', 's.code')}, l.valid_from NULLS FIRST",
    ),
}  # fmt: skip

_R = pseudonym("R", "r.code")
_C = pseudonym("C", "c.number")
_V = pseudonym("V", "r.code")

# Adjudication compares the days of services with the day of death. No service of that day or later: any later day
# serves as well, and with pseudonyms the end of the month stands for it, also where certificates end because of it.
_SERVED_AFTER_DEATH = """EXISTS (
    SELECT 1 FROM settlement_claimline l LEFT JOIN vouchers_redemption v ON v.id = l.redemption_id
    JOIN vouchers_certificate x ON x.id IN (l.certificate_id, v.certificate_id)
    WHERE x.recipient_id = r.id AND coalesce(l.service_date, l.starts_at::date) >= r.death_date)"""
_MONTH_END = "(date_trunc('month', r.death_date) + interval '1 month - 1 day')::date"
_DEATH = (
    "CASE WHEN r.death_recorded_at > %(known_at)s THEN NULL "
    f"WHEN %(pseudonymise)s AND NOT {_SERVED_AFTER_DEATH} THEN {_MONTH_END} ELSE r.death_date END"
)
_STATUS_FROM = f"CASE WHEN c.status_from = r.death_date + 1 THEN ({_DEATH}) + 1 ELSE c.status_from END"

_CERTIFICATE = known("vouchers_certificate", "c")

ENTITLEMENTS: dict[str, Query] = {
    "recipients": Query(
        (_R, "r.name",
         "CASE WHEN %(pseudonymise)s THEN date_trunc('year', r.birth_date)::date ELSE r.birth_date END",
         _DEATH, text("y.territory"), text("y.recipient_class")),
        f"vouchers_recipient r LEFT JOIN {RESIDENCE} y ON y.recipient_id = r.id WHERE r.organisation_id = %(org)s",
        by_code_point(_R),
    ),
    "absences": Query(
        (_R, "a.kind", "a.from_date", last_day("a.to_date")),
        f"{known('vouchers_absence', 'a')} JOIN vouchers_recipient r ON r.id = a.recipient_id "
        f"WHERE r.organisation_id = %(org)s AND {recorded('a')}",
        f"{by_code_point(_R, 'a.kind')}, a.from_date",
    ),
    "fee_assessments": Query(
        (_R, "f.valid_from", "f.mode", fixed("f.monthly_limit", 2), last_day("f.valid_to"), free_text("f.decision")),
        f"{known('vouchers_feeassessment', 'f')} JOIN vouchers_recipient r ON r.id = f.recipient_id "
        f"WHERE r.organisation_id = %(org)s AND {recorded('f')}",
        f"{by_code_point(_R)}, f.valid_from",
    ),
    "plan_lines": Query(
        (_R, "s.code", "l.valid_from", fixed("l.units_per_month", 3), last_day("l.valid_to")),
        f"{known('vouchers_planline', 'l')} JOIN vouchers_recipient r ON r.id = l.recipient_id "
        "JOIN contracts_service s ON s.id = l.service_id LEFT JOIN vouchers_individualplan i ON i.id = l.plan_id "
        # A plan that is not approved grants nothing, here as in the facts of a run.
        "WHERE r.organisation_id = %(org)s AND coalesce(i.status, 'approved') IN ('approved', 'closed') "
        f"AND {recorded('l')}",
        f"{by_code_point(_R, 's.code')}, l.valid_from",
    ),
    "certificates": Query(
        (_C, _R, "c.valid_from", last_day("c.valid_to"),
         "CASE WHEN c.status IN ('cancelled', 'replaced') THEN c.status ELSE 'active' END", _STATUS_FROM),
        f"{_CERTIFICATE} JOIN vouchers_recipient r ON r.id = c.recipient_id "
        f"WHERE c.organisation_id = %(org)s AND c.status NOT IN {NOT_HANDED_OVER}",
        by_code_point(_C),
    ),
    "certificate_suspensions": Query(
        (_C, "s.from_date", last_day("s.to_date"), free_text("s.reason")),
        f"{known('vouchers_certificatesuspension', 's')} JOIN {_CERTIFICATE} ON c.id = s.certificate_id "
        f"WHERE c.organisation_id = %(org)s AND c.status NOT IN {NOT_HANDED_OVER} AND {recorded('s')}",
        f"{by_code_point(_C)}, s.from_date",
    ),
    "certificate_lines": Query(
        (_C, "s.code", fixed("l.units", 3)),
        f"vouchers_certificateline l JOIN {_CERTIFICATE} ON c.id = l.certificate_id "
        "JOIN contracts_service s ON s.id = l.service_id "
        f"WHERE c.organisation_id = %(org)s AND c.status NOT IN {NOT_HANDED_OVER}",
        by_code_point(_C, "s.code"),
    ),
    "redemptions": Query(
        (_V, "r.channel", pseudonym("C", "r.certificate_number"), text("r.provider_code"),
         pseudonym("W", "r.worker_code"), text("r.service_code"), moment("r.starts_at"), moment("r.ends_at"),
         # A visit that did not take place has no units; zero would not be a number of units.
         scaled("NULLIF(r.units_milli, 0)", 3, 3), status_word("r")),
        f"{known('vouchers_redemption', 'r')} WHERE r.organisation_id = %(org)s AND {recorded('r')} "
        "AND (r.starts_at IS NULL "
        "OR r.starts_at::date <= (%(month)s + interval '1 month - 1 day')::date "
        "OR EXISTS (SELECT 1 FROM settlement_claimline l JOIN settlement_claim c ON c.id = l.claim_id "
        f"WHERE l.redemption_code = r.code AND {CLAIMS_SHOWN}))",
        by_code_point(_V),
    ),
}  # fmt: skip

# Of a run: what had been lifted when it or a run before it was made.
_LIFTED_BY_THEN = """(%(run)s::bigint IS NULL OR x.recorded_at <= %(known_at)s AND EXISTS (
    SELECT 1 FROM settlement_adjudicationrun n WHERE n.organisation_id = %(org)s AND n.period = c.period
      AND n.number >= x.run AND n.id <= %(run)s))"""

EVIDENCE: dict[str, Query] = {
    "claims": Query(
        ("c.number", "p.code", text("c.contract_number"), "to_char(c.period, 'YYYY-MM')",
         moment(counted_sql("c")),
         # Rejected without a run: it lapsed uncorrected, and nobody judges it, like one that was withdrawn.
         "CASE WHEN c.status IN ('returned', 'withdrawn') THEN c.status "
         "WHEN c.status = 'rejected' AND c.run IS NULL THEN 'withdrawn' ELSE 'submitted' END",
         "coalesce(c.run, (SELECT min(n.number) FROM settlement_remittance m "
         "JOIN settlement_adjudicationrun n ON n.id = m.run_id WHERE m.claim_id = c.id))",
         "v.number"),
        "settlement_claim c JOIN contracts_provider p ON p.id = c.provider_id "
        f"LEFT JOIN settlement_claim v ON v.id = c.reverses_id WHERE {CLAIMS_SHOWN}",
        by_code_point("c.number"),
    ),
    "claim_lines": Query(
        ("c.number", "l.line", pseudonym("V", "l.redemption_code"), pseudonym("C", "l.certificate_number"),
         text("l.service_code"), "l.service_date", moment("l.starts_at"), moment("l.ends_at"),
         pseudonym("W", "l.worker_code"), scaled("l.units_milli", 3, 3), scaled("l.unit_rate_e4", 4, 4), _FRACTION),
        f"settlement_claimline l JOIN settlement_claim c ON c.id = l.claim_id WHERE {CLAIMS_SHOWN}",
        f"{by_code_point('c.number')}, l.line",
    ),
    "clearances": Query(
        ("x.run", "c.number", "l.line", "x.check_code", free_text("x.decided_by"), free_text("x.reason")),
        "settlement_clearance x JOIN settlement_claimline l ON l.id = x.claim_line_id "
        f"JOIN settlement_claim c ON c.id = l.claim_id WHERE {CLAIMS_SHOWN} AND {_LIFTED_BY_THEN}",
        f"x.run, {by_code_point('c.number')}, l.line, {by_code_point('x.check_code')}",
    ),
}  # fmt: skip

INPUT_QUERIES: dict[str, Query] = REGISTERS | ENTITLEMENTS | EVIDENCE
