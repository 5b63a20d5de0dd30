"""Names of the figures of a decision, in the order in which tables and fingerprints have them."""

from __future__ import annotations

# Units in thousandths, rates in ten-thousandths.
UNITS = ("units_claimed", "units_allowed", "rate_claimed", "rate_allowed")
# Of a line; money in minor units.
LINE_FIGURES = (*UNITS, "amount_claimed", "gross", "fee", "payable")
# Of a claim in a run, minor units: amount_claimed = reductions + pended + gross; payable = gross - fee - offsets.
CLAIM_FIGURES = ("amount_claimed", "reductions", "pended", "gross", "fee", "offsets", "payable")
