"""Gives the errors of a reply the codes that REST framework has for their sentences. A code is not in the reply of any server, but
the data of a view that a test calls in its own process has it (rest_framework.exceptions.ErrorDetail)."""
import functools


@functools.lru_cache(1)
def known():
    """the codes of REST framework's own sentences, where one sentence has one code"""
    import inspect
    from rest_framework import fields, relations, serializers
    codes = {}
    for module in (fields, relations, serializers):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            for code, sentence in getattr(kind, 'default_error_messages', {}).items(): codes.setdefault(str(sentence), set()).add(code)
    return {sentence: code for sentence, (code, *more) in codes.items() if not more}


def of_passwords(body):
    """the codes with which the project's validators (AUTH_PASSWORD_VALIDATORS) refuse passwords of a request"""
    from django.contrib.auth.password_validation import get_default_password_validators
    from django.core.exceptions import ValidationError
    codes = {}
    for name, value in body.items():
        for validator in get_default_password_validators() if 'password' in name else []:
            try: validator.validate(value)
            except ValidationError as e: codes.update((m, error.code) for error in e.error_list for m in error.messages)
    return codes


def coded(data, body):
    """the data with the codes of those errors whose sentence is known"""
    from rest_framework.exceptions import ErrorDetail
    codes = {**known(), **of_passwords(body)}

    def walk(value):
        if isinstance(value, dict): return {k: walk(v) for k, v in value.items()}
        if isinstance(value, list): return [walk(v) for v in value]
        return ErrorDetail(value, codes[value]) if isinstance(value, str) and value in codes else value
    return walk(data)
