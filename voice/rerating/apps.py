from django.apps import AppConfig


class ReratingConfig(AppConfig):
    name = "voice.rerating"
    label = "rerating"
    verbose_name = "Rating again"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Supply the pages of usage with what the calls of numbers cost."""
        # Models are there only now.
        from voice.calls import hooks  # noqa: PLC0415
        from voice.rerating.number_money import money_of_days  # noqa: PLC0415

        hooks.money_of_days_of.append(money_of_days)
