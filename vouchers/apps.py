from django.apps import AppConfig


class VouchersConfig(AppConfig):
    name = "vouchers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say where recipients are on the register."""
        from config.accounts.access import serves
        from vouchers.queries import registers_of

        serves(registers_of)
