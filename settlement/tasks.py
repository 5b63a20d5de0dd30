"""Background work of settlement. Importing this module registers the handlers of its jobs."""

from __future__ import annotations

from settlement import payment_jobs, run_jobs, stripe_jobs

__all__ = ["payment_jobs", "run_jobs", "stripe_jobs"]
