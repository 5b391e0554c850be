// Package mailer sends the mails of a store's queue ([core.MailStore]) through an SMTP server.
//
// A mail is made when it is sent, of templates (text/template, and html/template for an HTML part) and
// of the account as it is then: neither its text nor the token of its link is ever in the store, nor
// in the log.
//
// Each mail is sent once or, where the server's answer was lost, twice at most. Between DATA and the
// text, the store is told that the server gets it (Deliveries), and it is told again what came of it:
// without an answer, as after a crash, the mail may have been taken, and is tried once more. Mails that
// the server did not take for certain are tried for [MaxAge], ever less often.
package mailer
