package mailer

import (
	"strings"
	"testing"
)

// TestDomainOfAddress packs mails to addresses whose domain is not ASCII, which SMTP servers without SMTPUTF8 refuse: they go to
// where those of Django 3.2 go.
func TestDomainOfAddress(t *testing.T) {
	for address, want := range map[string]string{
		"ann@Example.org":             "<ann@Example.org>",
		"ann@b\u00fccher.example":     "<ann@xn--bcher-kva.example>",
		"ann@stra\u00dfe.example":     "<ann@strasse.example>",
		"ann@ex\u2060ample.org":       "<ann@example.org>",
		"ann+tag@\u4f8b\u3048.exampl": "<ann+tag@xn--r8jz45g.exampl>",
	} {
		e, err := Server{From: "a@example.org"}.pack(Message{To: address, Subject: "s", Text: "t"}, "1", noon())
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if e.to != want || !strings.Contains(string(e.content), "\r\nTo: "+want+"\r\n") {
			t.Errorf("%s: %s, want %s\n%s", address, e.to, want, e.content)
		}
	}
}
