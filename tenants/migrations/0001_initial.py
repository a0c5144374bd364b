import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django_tenants.postgresql_backend.base
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="BaseDomain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fqdn", models.TextField(help_text="For example sbc.provider.example.", verbose_name="base domain")),
            ],
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("config_version", models.PositiveBigIntegerField(default=0, editable=False)),
                ("live_version", models.PositiveBigIntegerField(default=0, editable=False)),
                (
                    "schema_name",
                    models.CharField(
                        db_index=True,
                        max_length=63,
                        unique=True,
                        validators=[django_tenants.postgresql_backend.base._check_schema_name],
                    ),
                ),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="name"),
                ),
                (
                    "label",
                    models.TextField(
                        help_text="Names the customer's portal and SBC name; lasts, and is never used again.",
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9]([a-z0-9-]{0,7}[a-z0-9])?\\Z",
                                "Use 1 to 9 lower-case letters (a-z), digits and hyphens; no hyphen at the ends.",
                            )
                        ],
                        verbose_name="label",
                    ),
                ),
                ("country", models.CharField(max_length=2, verbose_name="country")),
                ("time_zone", models.TextField(default="UTC", verbose_name="time zone")),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("creating", "Being created"),
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                            ("closing", "Closing"),
                            ("closed", "Closed"),
                        ],
                        default="creating",
                        editable=False,
                        verbose_name="state",
                    ),
                ),
                ("cps", models.PositiveIntegerField(default=5, verbose_name="new calls a second")),
                ("channels", models.PositiveIntegerField(default=30, verbose_name="calls at the same time")),
                (
                    "caller_id_policy",
                    models.TextField(
                        choices=[("replace", "Replace by the default number"), ("refuse", "Refuse the call")],
                        default="replace",
                        verbose_name="when the caller ID is not the customer's",
                    ),
                ),
                ("default_caller_id", models.TextField(blank=True, verbose_name="default caller ID")),
                (
                    "foreign_caller_id",
                    models.BooleanField(default=False, verbose_name="approved foreign caller IDs may be used"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("retain_until", models.DateField(blank=True, editable=False, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                (
                    "name",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="name"
                    ),
                ),
                ("language", models.CharField(default="en", max_length=10, verbose_name="language")),
                ("time_zone", models.TextField(default="UTC", verbose_name="time zone")),
                (
                    "theme",
                    models.CharField(
                        choices=[("system", "As the device"), ("light", "Light"), ("dark", "Dark")],
                        default="system",
                        max_length=6,
                        verbose_name="theme",
                    ),
                ),
                ("is_operator", models.BooleanField(default=False, editable=False)),
                ("is_active", models.BooleanField(default=True, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("email",),
                        name="tenants_user_email_once",
                        violation_error_message="Somebody uses this e-mail address already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                        name="tenants_user_email_lower",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerRegion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fqdn", models.TextField(verbose_name="SBC name")),
                (
                    "base_domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customer_regions",
                        to="tenants.basedomain",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customer_regions",
                        to="tenants.customer",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="customer",
            name="base_domains",
            field=models.ManyToManyField(
                related_name="customers", through="tenants.CustomerRegion", to="tenants.basedomain"
            ),
        ),
        migrations.CreateModel(
            name="Msp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("config_version", models.PositiveBigIntegerField(default=0, editable=False)),
                ("live_version", models.PositiveBigIntegerField(default=0, editable=False)),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="name"),
                ),
                (
                    "slug",
                    models.TextField(
                        help_text="Becomes the first part of the console's address.", verbose_name="short name"
                    ),
                ),
                (
                    "state",
                    models.TextField(
                        choices=[("active", "Active"), ("suspended", "Suspended")],
                        default="active",
                        editable=False,
                        verbose_name="state",
                    ),
                ),
                ("support_email", models.EmailField(blank=True, max_length=254, verbose_name="support e-mail")),
                (
                    "support_phone",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(40)],
                        verbose_name="support phone",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("slug",),
                        name="tenants_msp_slug_once",
                        violation_error_message="Another MSP has this short name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$")),
                        name="tenants_msp_slug_shape",
                        violation_error_message="Use up to 30 lower-case letters, digits and hyphens.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.TextField(
                        choices=[
                            ("owner", "Owner"),
                            ("engineer", "Engineer"),
                            ("billing", "Billing"),
                            ("support", "Support"),
                            ("admin", "Administrator"),
                            ("voice_manager", "Voice manager"),
                            ("billing_contact", "Billing contact"),
                            ("viewer", "Viewer"),
                        ],
                        verbose_name="role",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="tenants.customer",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="tenants.user"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="tenants.msp",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                (
                    "role",
                    models.TextField(
                        choices=[
                            ("owner", "Owner"),
                            ("engineer", "Engineer"),
                            ("billing", "Billing"),
                            ("support", "Support"),
                            ("admin", "Administrator"),
                            ("voice_manager", "Voice manager"),
                            ("billing_contact", "Billing contact"),
                            ("viewer", "Viewer"),
                        ],
                        verbose_name="role",
                    ),
                ),
                ("token_hash", models.TextField(editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.user",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="tenants.customer",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="tenants.msp",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Domain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("domain", models.TextField(verbose_name="host name")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("operator", "Operator console"),
                            ("msp", "MSP console"),
                            ("customer", "Customer portal"),
                        ]
                    ),
                ),
                ("is_primary", models.BooleanField(default=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="domains",
                        to="tenants.customer",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="domains",
                        to="tenants.msp",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="customer",
            name="msp",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="customers", to="tenants.msp"
            ),
        ),
        migrations.CreateModel(
            name="Brand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(60)], verbose_name="brand name"
                    ),
                ),
                ("logo", models.BinaryField(blank=True, null=True, verbose_name="logo")),
                ("logo_width", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("logo_height", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("accent", models.TextField(default="#1f5f8b", verbose_name="accent colour")),
                ("support_email", models.EmailField(blank=True, max_length=254, verbose_name="support e-mail")),
                (
                    "support_phone",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(40)],
                        verbose_name="support phone",
                    ),
                ),
                ("support_url", models.URLField(blank=True, verbose_name="support page")),
                ("row_version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "msp",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="brand", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="basedomain",
            name="msp",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="base_domains", to="tenants.msp"
            ),
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="name"),
                ),
                ("hint", models.CharField(editable=False, max_length=12)),
                ("token_hash", models.TextField(editable=False)),
                ("scopes", models.JSONField(default=list, verbose_name="scopes")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="api_tokens", to="tenants.user"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_tokens",
                        to="tenants.customer",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_tokens",
                        to="tenants.msp",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Acting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.TextField()),
                ("reason", models.TextField(verbose_name="reason")),
                ("token_hash", models.TextField(editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("token_expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.user"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Region",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("config_version", models.PositiveBigIntegerField(default=0, editable=False)),
                ("live_version", models.PositiveBigIntegerField(default=0, editable=False)),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="name"),
                ),
                ("slug", models.TextField(verbose_name="short name")),
                (
                    "allowed_networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="allowed networks",
                    ),
                ),
                (
                    "denied_networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="denied networks",
                    ),
                ),
                (
                    "microsoft_names",
                    models.JSONField(blank=True, default=list, verbose_name="Microsoft's signalling names"),
                ),
                ("microsoft_networks", models.JSONField(blank=True, default=list, verbose_name="Microsoft's networks")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("slug",),
                        name="tenants_region_slug_once",
                        violation_error_message="Another region has this short name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$")),
                        name="tenants_region_slug_shape",
                        violation_error_message="Use up to 30 lower-case letters, digits and hyphens.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="basedomain",
            name="region",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="base_domains",
                to="tenants.region",
                verbose_name="region",
            ),
        ),
        migrations.AddConstraint(
            model_name="customerregion",
            constraint=models.UniqueConstraint(fields=("fqdn",), name="tenants_customerregion_fqdn_once"),
        ),
        migrations.AddConstraint(
            model_name="customerregion",
            constraint=models.UniqueConstraint(fields=("customer", "base_domain"), name="tenants_customerregion_once"),
        ),
        migrations.AddConstraint(
            model_name="customerregion",
            constraint=models.CheckConstraint(
                condition=models.Q(("fqdn__regex", "^(?=.{4,48}$)[a-z0-9-]+(\\.[a-z0-9-]+)+$")),
                name="tenants_customerregion_fqdn_shape",
                violation_error_message="The whole SBC name may have at most 48 characters.",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("msp__isnull", False),
                        ("role__in", ("owner", "engineer", "billing", "support")),
                        ("tenant__isnull", True),
                    ),
                    models.Q(
                        ("msp__isnull", True),
                        ("role__in", ("admin", "voice_manager", "billing_contact", "viewer")),
                        ("tenant__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="tenants_membership_one_place",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("msp__isnull", False)), fields=("user", "msp"), name="tenants_membership_msp_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("tenant__isnull", False)),
                fields=("user", "tenant"),
                name="tenants_membership_tenant_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("msp__isnull", False),
                        ("role__in", ("owner", "engineer", "billing", "support")),
                        ("tenant__isnull", True),
                    ),
                    models.Q(
                        ("msp__isnull", True),
                        ("role__in", ("admin", "voice_manager", "billing_contact", "viewer")),
                        ("tenant__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="tenants_invitation_one_place",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(fields=("token_hash",), name="tenants_invitation_token_once"),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.UniqueConstraint(
                fields=("domain",),
                name="tenants_domain_once",
                violation_error_message="This host name is in use already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("domain__regex", "^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
                ),
                name="tenants_domain_shape",
                violation_error_message="Use a lower-case host name without port.",
            ),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "operator"), ("msp__isnull", True), ("tenant__isnull", True)),
                    models.Q(("kind", "msp"), ("msp__isnull", False), ("tenant__isnull", True)),
                    models.Q(("kind", "customer"), ("msp__isnull", False), ("tenant__isnull", False)),
                    _connector="OR",
                ),
                name="tenants_domain_belongs",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                fields=("msp", "label"),
                name="tenants_customer_label_once",
                violation_error_message="This label is or was used by another customer; labels are never used again.",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("label__regex", "^[a-z0-9]([a-z0-9-]{0,7}[a-z0-9])?$")),
                name="tenants_customer_label_shape",
                violation_error_message="Use 1 to 9 lower-case letters, digits and hyphens for the label.",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("schema_name__regex", "^c[0-9]{6,}$")), name="tenants_customer_schema_shape"
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                name="tenants_customer_country_shape",
                violation_error_message="Choose a country.",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("channels__gte", 1), ("channels__lte", 20000), ("cps__gte", 1), ("cps__lte", 1000)),
                name="tenants_customer_limits",
                violation_error_message="Allow 1 to 1,000 new calls a second and 1 to 20,000 calls at a time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("default_caller_id__regex", "^(\\+[1-9][0-9]{6,14})?$")),
                name="tenants_customer_default_caller_id_shape",
                violation_error_message="Write the default caller ID in international form, like +4930123456.",
            ),
        ),
        migrations.AddConstraint(
            model_name="brand",
            constraint=models.CheckConstraint(
                condition=models.Q(("accent__regex", "^#[0-9a-f]{6}$")),
                name="tenants_brand_accent_shape",
                violation_error_message="Write the colour like #1f5f8b.",
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("msp__isnull", False), ("tenant__isnull", True)),
                    models.Q(("msp__isnull", True), ("tenant__isnull", False)),
                    _connector="OR",
                ),
                name="tenants_apitoken_one_place",
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.UniqueConstraint(fields=("token_hash",), name="tenants_apitoken_once"),
        ),
        migrations.AddConstraint(
            model_name="acting",
            constraint=models.UniqueConstraint(fields=("token_hash",), name="tenants_acting_token_once"),
        ),
        migrations.AddConstraint(
            model_name="acting",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="tenants_acting_reason_given",
                violation_error_message="Say why you act as this customer.",
            ),
        ),
        migrations.AddConstraint(
            model_name="basedomain",
            constraint=models.UniqueConstraint(
                fields=("fqdn",),
                name="tenants_basedomain_fqdn_once",
                violation_error_message="This base domain is in use already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="basedomain",
            constraint=models.UniqueConstraint(
                fields=("msp", "region"),
                name="tenants_basedomain_once_a_region",
                violation_error_message="The MSP has a base domain in this region already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="basedomain",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fqdn__regex", "^(?=.{4,38}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")
                ),
                name="tenants_basedomain_shape",
                violation_error_message="Use a lower-case domain name of at most 38 characters.",
            ),
        ),
    ]
