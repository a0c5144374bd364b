from django.apps import AppConfig


class ReceivablesConfig(AppConfig):
    name = "voice.receivables"
    label = "receivables"
    verbose_name = "Receivables"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Supply pages of calls with the bills of their charges, and retention and accounts with who is billed how."""
        # Models are there only now.
        from tenants.services import customers, retention  # noqa: PLC0415
        from voice.calls import hooks  # noqa: PLC0415
        from voice.rating import limits  # noqa: PLC0415
        from voice.receivables.leaving import left_open  # noqa: PLC0415
        from voice.receivables.panel import aftermath  # noqa: PLC0415
        from voice.receivables.selectors import country_of_biller, currency_of_bills  # noqa: PLC0415

        hooks.aftermath_of.append(aftermath)
        customers.left_open.append(left_open)
        retention.country_of_biller.append(country_of_biller)
        limits.billed_in.append(currency_of_bills)
