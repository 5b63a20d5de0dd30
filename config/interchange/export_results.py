# ruff: noqa: S608 - every piece of SQL here is a constant of this file; values are parameters
"""What the result tables of a package are read from, and what a recalculation needs beside the facts."""

from __future__ import annotations

from config.interchange.export_sql import Query, by_code_point, fixed, minor, scaled

_RUNS_SHOWN = (
    "n.organisation_id = %(org)s AND n.status = 'done' "
    "AND (%(period)s::date IS NULL OR n.period = %(period)s) AND (%(run)s::bigint IS NULL OR n.id = %(run)s)"
)
_ONLY = "(%(period)s::date IS NULL OR {period} = %(period)s)"
_CLAIMS_OF_RUN = "SELECT claim_id FROM settlement_remittance WHERE run_id = %(run)s"

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
      AND {_ONLY.format(period="k.period")} AND %(run)s::bigint IS NULL
      AND NOT EXISTS (SELECT 1 FROM settlement_decidedfinding x
          WHERE x.claim_line_id = g.claim_line_id AND x.run = g.run AND x.check_code = g.check_code)
      AND NOT EXISTS (SELECT 1 FROM settlement_adjudicationrun n WHERE n.organisation_id = k.organisation_id
          AND n.period = k.period AND n.number = g.run AND n.status = 'done'))"""

OUTPUT_QUERIES: dict[str, Query] = {
    "adjudications": Query(
        ("n.number", "c.number", "l.line", scaled("a.units_claimed", 3, 3), scaled("a.units_allowed", 3, 3),
         scaled("a.rate_claimed", 4, 4), scaled("a.rate_allowed", 4, 4), minor("a.amount_claimed"),
         minor("a.gross"), minor("a.fee"), minor("a.payable"), "a.outcome"),
        "settlement_adjudication a JOIN settlement_adjudicationrun n ON n.id = a.run_id "
        "JOIN settlement_claim c ON c.id = a.claim_id JOIN settlement_claimline l ON l.id = a.claim_line_id "
        f"WHERE {_RUNS_SHOWN}",
        f"n.period, n.number, {by_code_point('c.number')}, l.line, a.id",
    ),
    "findings": Query(
        ("f.run", "c.number", "l.line", "f.check_code", "f.severity", scaled("f.units", 3, 3),
         minor("f.amount"), "CASE WHEN %(pseudonymise)s THEN NULL ELSE f.detail END"),
        f"{_FINDINGS} f JOIN settlement_claimline l ON l.id = f.claim_line_id "
        "JOIN settlement_claim c ON c.id = l.claim_id",
        f"f.period, f.run, {by_code_point('c.number')}, l.line, {by_code_point('f.check_code')}",
    ),
    "remittances": Query(
        ("n.number", "c.number", "p.code", minor("m.amount_claimed"), minor("m.reductions"), minor("m.pended"),
         minor("m.gross"), minor("m.fee"), minor("m.offsets"), minor("m.payable")),
        "settlement_remittance m JOIN settlement_adjudicationrun n ON n.id = m.run_id "
        "JOIN settlement_claim c ON c.id = m.claim_id JOIN contracts_provider p ON p.id = m.provider_id "
        f"WHERE {_RUNS_SHOWN}",
        f"n.period, n.number, {by_code_point('c.number')}",
    ),
    "postings": Query(
        ("e.number", "e.date", "a.code", minor("p.debit"), minor("p.credit"), "p.currency", "c.number",
         "y.reference"),
        "settlement_posting p JOIN settlement_entry e ON e.id = p.entry_id "
        "JOIN settlement_account a ON a.id = p.account_id LEFT JOIN settlement_claim c ON c.id = p.claim_id "
        "LEFT JOIN settlement_payment y ON y.id = p.payment_id "
        "LEFT JOIN settlement_paymentrun u ON u.id = y.payment_run_id "
        "WHERE e.organisation_id = %(org)s AND "
        + _ONLY.format(period="coalesce(c.period, u.period, date_trunc('month', e.date)::date)")
        + f" AND (%(run)s::bigint IS NULL OR p.claim_id IN ({_CLAIMS_OF_RUN}))",
        f"{by_code_point('e.number', 'a.code')}, p.id",
    ),
    "payments": Query(
        ("y.reference", "p.code", "y.iban", fixed("y.amount", 2), "y.amount_currency",
         "(SELECT string_agg(c.number, ' ' ORDER BY c.number COLLATE \"C\") FROM settlement_paymentremittance i "
         "JOIN settlement_remittance m ON m.id = i.remittance_id JOIN settlement_claim c ON c.id = m.claim_id "
         "WHERE i.payment_id = y.id)", "y.status"),
        "settlement_payment y JOIN contracts_provider p ON p.id = y.provider_id "
        "JOIN settlement_paymentrun u ON u.id = y.payment_run_id WHERE y.organisation_id = %(org)s AND "
        + _ONLY.format(period="u.period")
        + " AND (%(run)s::bigint IS NULL OR EXISTS (SELECT 1 FROM settlement_paymentremittance i "
        "JOIN settlement_remittance m ON m.id = i.remittance_id WHERE i.payment_id = y.id AND m.run_id = %(run)s))",
        by_code_point("y.reference"),
    ),
}  # fmt: skip

# What stood at a run of the month of ``s``; with a run: at it and those before it.
_STOOD = """s.organisation_id = %(org)s AND s.period <= %(until)s AND (%(run)s::bigint IS NULL OR EXISTS (
    SELECT 1 FROM settlement_adjudicationrun n WHERE n.organisation_id = %(org)s AND n.period = s.period
      AND n.number = s.run AND n.id <= %(run)s))"""
# With a run: those before it, as they were. Else what a package told of runs whose facts nobody has here.
_DECIDED_RUNS = """(
    SELECT n.period, n.number AS run, n.turn FROM (
        SELECT t.*, row_number() OVER (ORDER BY t.id) AS turn FROM settlement_adjudicationrun t
        WHERE t.organisation_id = %(org)s AND t.status = 'done') n
    WHERE n.id < %(run)s
    UNION ALL
    SELECT d.period, d.run, d.turn FROM settlement_decidedrun d
    WHERE d.organisation_id = %(org)s AND %(run)s::bigint IS NULL AND d.period <= %(until)s)"""
_DECIDED_LINES = """(
    SELECT n.period, n.number AS run, a.claim_line_id, a.units_allowed, a.rate_allowed, a.gross, a.fee, a.outcome
    FROM settlement_adjudication a JOIN settlement_adjudicationrun n ON n.id = a.run_id
    WHERE n.organisation_id = %(org)s AND n.status = 'done' AND n.id < %(run)s AND a.reverses_id IS NULL
    UNION ALL
    SELECT k.period, d.run, d.claim_line_id, d.units_allowed, d.rate_allowed, d.gross, d.fee, d.outcome
    FROM settlement_decidedline d JOIN settlement_claimline q ON q.id = d.claim_line_id
    JOIN settlement_claim k ON k.id = q.claim_id
    WHERE d.organisation_id = %(org)s AND %(run)s::bigint IS NULL AND k.period <= %(until)s)"""
_DECIDED_FINDINGS = """(
    SELECT n.period, n.number AS run, f.claim_line_id, f.check_code, f.severity, f.units, f.amount,
        COALESCE(g.detail, x.detail, f.detail::text) AS detail
    FROM settlement_finding f JOIN settlement_adjudicationrun n ON n.id = f.run_id
    LEFT JOIN settlement_givenfinding g
        ON g.claim_line_id = f.claim_line_id AND g.run = n.number AND g.check_code = f.check_code
    LEFT JOIN settlement_decidedfinding x
        ON x.claim_line_id = f.claim_line_id AND x.run = n.number AND x.check_code = f.check_code
    WHERE n.organisation_id = %(org)s AND n.status = 'done' AND n.id < %(run)s
    UNION ALL
    SELECT k.period, d.run, d.claim_line_id, d.check_code, d.severity, d.units, d.amount, d.detail
    FROM settlement_decidedfinding d JOIN settlement_claimline q ON q.id = d.claim_line_id
    JOIN settlement_claim k ON k.id = q.claim_id
    WHERE d.organisation_id = %(org)s AND %(run)s::bigint IS NULL AND k.period <= %(until)s)"""

# What runs kept back remittances for (CLM-46): by it anybody recalculates the offsets.
OPTIONAL_QUERIES: dict[str, Query] = {
    "clawbacks": Query(
        ("to_char(s.period, 'YYYY-MM')", "s.run", "p.code", minor("s.outstanding_minor")),
        f"settlement_clawbackstanding s JOIN contracts_provider p ON p.id = s.provider_id WHERE {_STOOD}",
        f"s.period, s.run, {by_code_point('p.code')}",
    ),
    # The same of what was paid before by advances, which claims use up first.
    "advances": Query(
        ("to_char(s.period, 'YYYY-MM')", "s.run", "k.number", minor("s.outstanding_minor")),
        f"settlement_advancestanding s JOIN contracts_contract k ON k.id = s.contract_id WHERE {_STOOD}",
        f"s.period, s.run, {by_code_point('k.number')}",
    ),
    "decided_runs": Query(("to_char(d.period, 'YYYY-MM')", "d.run", "d.turn"), f"{_DECIDED_RUNS} d", "d.turn"),
    "decided_lines": Query(
        (
            "d.run",
            "c.number",
            "l.line",
            scaled("d.units_allowed", 3, 3),
            scaled("d.rate_allowed", 4, 4),
            minor("d.gross"),
            minor("d.fee"),
            "d.outcome",
        ),
        f"{_DECIDED_LINES} d JOIN settlement_claimline l ON l.id = d.claim_line_id "
        "JOIN settlement_claim c ON c.id = l.claim_id",
        f"d.period, d.run, {by_code_point('c.number')}, l.line",
    ),
    "decided_findings": Query(
        (
            "d.run",
            "c.number",
            "l.line",
            "d.check_code",
            "d.severity",
            scaled("d.units", 3, 3),
            minor("d.amount"),
            "CASE WHEN %(pseudonymise)s THEN NULL ELSE nullif(d.detail, '') END",
        ),
        f"{_DECIDED_FINDINGS} d JOIN settlement_claimline l ON l.id = d.claim_line_id "
        "JOIN settlement_claim c ON c.id = l.claim_id",
        f"d.period, d.run, {by_code_point('c.number')}, l.line, {by_code_point('d.check_code')}",
    ),
}
