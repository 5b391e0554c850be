package transfer

import (
	"context"
	"fmt"
	"io"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/core/transfer"
	"github.com/authcompat/authcompat/store/django/tables"
)

// ExportDump writes all users and live tokens as a dump for `manage.py loaddata`. A
// token with a knox digest keeps its knox format, and other tokens become authtoken's,
// of which a user can have only one.
func ExportDump(ctx context.Context, from Source, out io.Writer, o ExportOptions) (*ExportReport, error) {
	r := &ExportReport{Target: "dumpdata", Started: o.Clock().UTC(), Problems: []Problem{}}
	e := &exporter{ExportOptions: o, from: from, report: r}
	err := e.dump(ctx, tables.NewDumpWriter(out))
	r.Finished = o.Clock().UTC()
	return r, err
}

func (e *exporter) dump(ctx context.Context, w *tables.DumpWriter) error {
	err := e.eachUserPage(ctx, func(page []core.Account) error {
		for _, u := range page {
			if err := w.User(u); err != nil {
				return err
			}
		}
		e.report.Users.Added += len(page)
		return nil
	})
	if err != nil {
		return err
	}
	err = eachUser(ctx, e.from, e.Realm, func(page []core.Token) error {
		has := map[int64]bool{} // users with an authtoken token
		e.report.Tokens.Read += len(page)
		e.progress("tokens", e.report.Tokens.Read)
		for _, t := range byPreference(page) {
			if t.Expired(e.Clock()) {
				e.report.Tokens.Expired++
				continue
			}
			result, err := e.dumpToken(w, t, has)
			if err != nil {
				return err
			}
			e.report.count(&e.report.Tokens, fmt.Sprintf("a token of user %d, issued %s", t.UserID, t.CreatedAt.Format("2006-01-02 15:04:05")), result)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.Close()
}

// dumpToken writes one token, if its format allows.
func (e *exporter) dumpToken(w *tables.DumpWriter, t core.Token, has map[int64]bool) (transfer.ImportResult, error) {
	refused := func(reason string) (transfer.ImportResult, error) {
		return transfer.ImportResult{Outcome: transfer.ImportRefused, Reason: reason}, nil
	}
	g := t.Legacy.Format
	if g == "" {
		g = core.Authtoken
	}
	form, _, err := e.form(g, t)
	switch {
	case err != nil:
		return refused(err.Error())
	case g == core.Authtoken && has[t.UserID]:
		return refused("a user has one token there, and this one has another already")
	}
	has[t.UserID] = has[t.UserID] || g == core.Authtoken
	return transfer.ImportResult{Outcome: transfer.ImportAdded}, w.Token(g, form)
}
