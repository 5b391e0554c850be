"""What djoser takes from django-templated-mail, which Debian does not have.

A mail is the blocks of a template that begin with its subject (djoser/templates/email).
Mails go to the SMTP server of the settings; this one has the text alone, and says
what it is about in X-Kind.
"""

import os

from django.core import mail
from django.template.context import make_context
from django.template.loader import get_template
from django.template.loader_tags import BlockNode


class BaseEmailMessage(mail.EmailMessage):
    template_name = None

    def __init__(self, request=None, context=None):
        super().__init__()
        self.request = request
        self.context = context or {}

    def get_context_data(self):
        return {
            "domain": "example.com",
            "protocol": "https",
            "site_name": "example.com",
            **self.context,
        }

    def send(self, to):
        template = get_template(self.template_name).template
        context = make_context(self.get_context_data(), self.request)
        with context.render_context.push_state(template), context.bind_template(
            template
        ):
            blocks = {
                node.name: node.render(context).strip()
                for node in template.nodelist
                if isinstance(node, BlockNode)
            }
        self.subject, self.body = blocks["subject"], blocks["text_body"]
        kind = os.path.splitext(os.path.basename(self.template_name))[0]
        self.extra_headers["X-Kind"] = kind
        self.to = to
        return super().send()
