"""Ukrainian dates without a zero before the day: «3 грудня 2025 р.»."""

DATE_FORMAT = "j E Y р."
DATETIME_FORMAT = "j E Y р., H:i"
MONTH_DAY_FORMAT = "j E"
