from django.apps import AppConfig


class VouchersConfig(AppConfig):
    name = "vouchers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say where recipients are on the register, and who is one."""
        from config.accounts.access import serves, stands
        from config.roles import RECIPIENT
        from vouchers.queries import is_recipient, registers_of

        serves(registers_of)
        stands(RECIPIENT, is_recipient)
