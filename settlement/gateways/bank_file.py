"""The gateway of banks and treasuries that take a pain.001 file and answer with camt statements."""

from __future__ import annotations

from settlement.gateways.base import UNKNOWN, PaymentOrder, Statement, Submission
from settlement.gateways.camt import read_camt
from settlement.gateways.identifiers import identifier
from settlement.gateways.mt940 import is_mt940, read_mt940
from settlement.gateways.pain001 import build_pain001


class BankFileGateway:
    """Money leaves when a person hands the file to the bank; what became of it comes back in statements."""

    code = "bank_file"

    def submit(self, order: PaymentOrder) -> Submission:
        """Build the file. Idempotent: the same order gives the same bytes. Raises: GatewayError."""
        reference = identifier(order.reference)
        return Submission(
            reference=reference,
            file_name=f"{reference.replace('/', '-')}.xml",
            content=build_pain001(order),
            content_type="application/xml",
        )

    def status(self, order: PaymentOrder) -> dict[str, str]:
        """A file says nothing of what became of it; only statements do."""
        return {item.reference: UNKNOWN for item in order.instructions}

    def read_report(self, content: bytes) -> tuple[Statement, ...]:
        """Read a camt.052, 053 or 054 file of any version, or MT940. Raises: GatewayError."""
        return read_mt940(content) if is_mt940(content) else read_camt(content)
