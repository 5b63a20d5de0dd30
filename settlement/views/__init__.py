"""Pages of settlement, by audience."""
