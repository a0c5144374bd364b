"""The largest and the smallest values that a field of the API lets through."""

from typing import Any

from rest_framework import fields, serializers

LARGEST, SMALLEST = True, False
WHOLE = {LARGEST: 2**63 - 1, SMALLEST: -(2**63)}
DAYS = {LARGEST: "9999-12-31", SMALLEST: "0001-01-01"}
MOMENTS = {LARGEST: "9999-12-31T23:59:59Z", SMALLEST: "0001-01-01T00:00:00+14:00"}
TEXTS = {LARGEST: "\u202e'\"<x>;%s{0}²", SMALLEST: "-"}
GIVEN = [
    fields.Field, fields.BooleanField, fields.MultipleChoiceField, fields.ListField, fields.DictField,
    serializers.Serializer, serializers.ListSerializer, serializers.ManyRelatedField,
]  # fmt: skip


def extreme(field: Any, end: bool) -> Any:
    """Return a value at one end of what a field lets through."""
    if isinstance(field, serializers.ListSerializer | fields.ListField):
        return [extreme(field.child, end)]
    if isinstance(field, serializers.ManyRelatedField):
        return [extreme(field.child_relation, end)]
    if isinstance(field, serializers.BaseSerializer):
        return {name: extreme(each, end) for name, each in field.fields.items() if not each.read_only}
    if isinstance(field, serializers.RelatedField):
        row = field.get_queryset().first()
        return field.to_representation(row) if row is not None else WHOLE[end]
    if isinstance(field, fields.ChoiceField):
        choices = list(field.choices)
        return choices if isinstance(field, fields.MultipleChoiceField) else choices[0 if end else -1]
    if isinstance(field, fields.IntegerField):
        return _within(field, end)
    for kind, values in ((fields.BooleanField, {LARGEST: True, SMALLEST: False}), (fields.DateTimeField, MOMENTS),
                         (fields.DateField, DAYS), (fields.DictField, {end: {"a": WHOLE[end]}}),
                         (fields.JSONField, {end: [WHOLE[end], TEXTS[end]]}),
                         (fields.EmailField, {end: "a@example.com"}),
                         (fields.URLField, {end: "https://example.com/"})):  # fmt: skip
        if isinstance(field, kind):
            return values[end]
    return TEXTS[end][: getattr(field, "max_length", None) or 99]


def _within(field: Any, end: bool) -> int:
    limits = {LARGEST: [WHOLE[LARGEST]], SMALLEST: [WHOLE[SMALLEST]]}
    for check in field.validators:
        for sign, name in ((LARGEST, "MaxValueValidator"), (SMALLEST, "MinValueValidator")):
            if type(check).__name__ == name:
                limits[sign].append(check.limit_value() if callable(check.limit_value) else check.limit_value)
    return min(limits[LARGEST]) if end else max(limits[SMALLEST])
