"""What the settings of each API differ in."""

KNOX = {"DEFAULT_AUTHENTICATION_CLASSES": ["tokens.auth.KnoxAuthentication"]}
FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["tokens.auth.FrameworkAuthentication"]}
AUTHTOKEN = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication"
    ]
}

SETTINGS = {
    "ocd_users": {"REST_FRAMEWORK": KNOX, "TOKEN_HEX": 64, "TOKEN_HOURS": 10},
    # apis/knox-auth.rst: 40 digits, an expiry that is always null.
    "knox_auth": {"REST_FRAMEWORK": KNOX, "TOKEN_HEX": 40, "TOKEN_HOURS": None},
    # apis/form-auth.txt shows one security header, that of 2015.
    "form_auth": {
        "REST_FRAMEWORK": FRAMEWORK,
        "TOKEN_HEX": 40,
        "TOKEN_HOURS": 24,
        "X_FRAME_OPTIONS": "SAMEORIGIN",
        "SECURE_CONTENT_TYPE_NOSNIFF": False,
        "SECURE_REFERRER_POLICY": None,
    },
    # Its validators are startproject's but common.
    "djoser": {
        "REST_FRAMEWORK": AUTHTOKEN,
        "DJOSER": {
            "EMAIL": {
                name: "apis.mails.Mail" for name in ("password_reset", "username_reset")
            }
        },
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": "django.contrib.auth.password_validation." + name}
            for name in (
                "UserAttributeSimilarityValidator",
                "MinimumLengthValidator",
                "NumericPasswordValidator",
            )
        ],
    },
    # These three are as they are installed: without settings of their own.
    "drf_authtoken": {},
    "knox": {"PACKAGES": ["knox"]},
    "knox_5": {"PACKAGES": ["knox"]},
}
