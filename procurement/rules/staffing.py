"""Staffing norms of a community (formula STAFF-003, STF-1)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil

from config.explanations import Step
from config.money import round_half_up

FORMULA_ID = "STAFF-003/1"
COMBINED = "combined"


@dataclass(frozen=True)
class StaffingParameters:
    """Dated norm: residents per specialist in each band, upper bounds of the first bands, residents per
    manager.
    """

    residents_per_specialist: tuple[int, ...]
    bounds: tuple[int, ...]
    urban_per_manager: int
    rural_per_manager: int


@dataclass(frozen=True)
class StaffingOutcome:
    """``required`` persons; ``cliff`` when a community one resident smaller or larger band would need more."""

    raw: Decimal
    required: int
    cliff: bool
    steps: tuple[Step, ...]
    formula_id: str = FORMULA_ID


def specialists(*, residents: int, parameters: StaffingParameters) -> StaffingOutcome:
    """Specialists a community needs: residents / norm of its band, rounded up. A bound belongs to the lower
    band.

    ``cliff`` marks a community whose band asks for fewer people than the bound below it did.
    Example: 5000 -> 5; 5001 -> 4 (cliff).
    """
    band = sum(residents > bound for bound in parameters.bounds)
    norm = parameters.residents_per_specialist[band]
    raw = Fraction(residents, norm)
    required = ceil(raw)
    cliff = band > 0 and required < ceil(
        Fraction(parameters.bounds[band - 1], parameters.residents_per_specialist[band - 1])
    )
    return _outcome(raw, required, cliff, f"{residents} / {norm}", "staff.specialist")


def managers(*, urban: int, rural: int, parameters: StaffingParameters, mode: str = COMBINED) -> StaffingOutcome:
    """Managers for urban and rural residents: one ceiling over the sum, or one for each (``separate``).

    The combined reading is ours (DESIGN). Example: 45000 urban and 4000 rural -> 3; separate 4.
    """
    shares = (Fraction(urban, parameters.urban_per_manager), Fraction(rural, parameters.rural_per_manager))
    raw = sum(shares, Fraction(0))
    required = ceil(raw) if mode == COMBINED else sum(ceil(share) for share in shares)
    formula = f"{urban} / {parameters.urban_per_manager} + {rural} / {parameters.rural_per_manager}"
    return _outcome(raw, required, False, formula, "staff.manager")


def _outcome(raw: Fraction, required: int, cliff: bool, formula: str, parameter: str) -> StaffingOutcome:
    shown = round_half_up(Decimal(raw.numerator) / raw.denominator, 3)
    steps = [Step("staff", "Staff required by the norm", str(required), "person", f"{formula} = {shown}", parameter)]
    if cliff:
        steps.append(Step("cliff", "A smaller community would need more staff by this norm", "yes"))
    return StaffingOutcome(shown, required, cliff, tuple(steps))
