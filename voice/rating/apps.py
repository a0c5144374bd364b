from django.apps import AppConfig


class RatingConfig(AppConfig):
    name = "voice.rating"
    label = "rating"
    verbose_name = "Rating"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Supply the pages of calls with what calls cost."""
        # Models are there only now.
        from voice.calls import hooks  # noqa: PLC0415
        from voice.rating.prices import CallPrices  # noqa: PLC0415

        hooks.prices_of.append(CallPrices())
