"""What the settings of each API differ in."""

KNOX = {"DEFAULT_AUTHENTICATION_CLASSES": ["tokens.auth.KnoxAuthentication"]}
FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["tokens.auth.FrameworkAuthentication"]}
AUTHTOKEN = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication"
    ]
}

# Where its documents have the links lead to; its validators are startproject's but common.
DJOSER = {
    "PASSWORD_RESET_CONFIRM_URL": "#/password/reset/confirm/{uid}/{token}",
    "USERNAME_RESET_CONFIRM_URL": "#/username/reset/confirm/{uid}/{token}",
    "ACTIVATION_URL": "#/activate/{uid}/{token}",
}
# startproject's, but for common, which needs a list.
VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation." + name}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "NumericPasswordValidator",
    )
]

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
    "djoser": {
        "REST_FRAMEWORK": AUTHTOKEN,
        "DJOSER": DJOSER,
        "AUTH_PASSWORD_VALIDATORS": VALIDATORS,
    },
    "djoser_activation": {
        "REST_FRAMEWORK": AUTHTOKEN,
        "DJOSER": {
            **DJOSER,
            "SEND_ACTIVATION_EMAIL": True,
            "SEND_CONFIRMATION_EMAIL": True,
            "PASSWORD_CHANGED_EMAIL_CONFIRMATION": True,
            "USERNAME_CHANGED_EMAIL_CONFIRMATION": True,
        },
        "AUTH_PASSWORD_VALIDATORS": VALIDATORS,
    },
    # With the classes of its demo, and tokens instead of sessions.
    "dj_rest_auth": {
        "PACKAGES": [
            "django.contrib.sites",
            "allauth",
            "allauth.account",
            "allauth.socialaccount",
            "dj_rest_auth",
            "dj_rest_auth.registration",
        ],
        "PACKAGE_MIDDLEWARE": ["allauth.account.middleware.AccountMiddleware"],
        "SITE_ID": 1,
        "AUTHENTICATION_BACKENDS": [
            "django.contrib.auth.backends.ModelBackend",
            "allauth.account.auth_backends.AuthenticationBackend",
        ],
        "REST_FRAMEWORK": {
            "DEFAULT_AUTHENTICATION_CLASSES": [
                "rest_framework.authentication.SessionAuthentication",
                "rest_framework.authentication.TokenAuthentication",
            ]
        },
        "REST_AUTH": {"SESSION_LOGIN": False},
        "AUTH_PASSWORD_VALIDATORS": VALIDATORS,
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
    },
    # These three are as they are installed: without settings of their own.
    "drf_authtoken": {},
    "knox": {"PACKAGES": ["knox"]},
    "knox_5": {"PACKAGES": ["knox"]},
}
