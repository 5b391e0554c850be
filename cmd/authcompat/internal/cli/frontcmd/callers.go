package frontcmd

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/engine"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core/callers"
)

// otherCallers stands for those that are not kept apart.
const otherCallers = "(other)"

// callerRecord is a caller in JSON, with what the dimension says.
type callerRecord struct {
	Profile  string    `json:"profile"`
	Endpoint *string   `json:"endpoint,omitempty"`
	User     *string   `json:"user,omitempty"` // empty: nobody was logged in
	Client   *string   `json:"client,omitempty"`
	Agent    *string   `json:"agent,omitempty"`
	Other    bool      `json:"other,omitempty"` // all that are not kept apart
	Requests int64     `json:"requests"`
	Refused  int64     `json:"refused"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// NewCallers returns the command callers.
func NewCallers() *cobra.Command {
	var flags config.Engine
	since := flagvalue.SinceAge(30 * flagvalue.Day)
	dimensions := callers.Dimensions() // by endpoint unless another is asked for
	by := flagvalue.NewEnum(dimensions[0], dimensions[1:]...)
	var profile string
	var asJSON, asCSV bool
	cmd := &cobra.Command{
		Use:   "callers",
		Short: "List who still uses which API, how often, first and last",
		Long: `List who called the APIs, those with the most requests first: by endpoint, or by user, client (an IPv4 address, or
the /64 of an IPv6 address), agent (the User-Agent), or all of these. Servers write it once a minute, and when they end.
Days are counted whole, in UTC. Refused are answers of the API itself with 4xx. Callers beyond 10000 a day are
counted together.`,
		Example: `  authcompat callers --since 30d --by user
  authcompat callers --by all --profile snippit --csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dimension := callers.Dimension(by.Value)
			if err := command.OneOf(cmd, "json", "csv"); err != nil {
				return err
			}
			return command.WithEngine(cmd, &flags, func(ctx context.Context, e *engine.Engine) error {
				now, err := e.Now(ctx)
				if err != nil {
					return err
				}
				calls, err := e.ListCallers(ctx, since.Time(now), profile, dimension, 0)
				if err != nil {
					return err
				}
				if len(calls) == 0 {
					said := cmd.OutOrStdout()
					if asJSON || asCSV {
						said = cmd.ErrOrStderr()
					}
					if err := term.Printf(said, "%s\n", e.NobodyCalled()); err != nil || !asCSV {
						return err
					}
				}
				if asCSV {
					return writeCallersCSV(cmd.OutOrStdout(), calls, dimension)
				}
				return writeCallers(cmd.OutOrStdout(), asJSON, calls, dimension)
			})
		},
	}
	flags.AddFlags(cmd.Flags())
	cmd.Flags().Var(&since, "since", "only of the last days, as 7d, or from a day on, as 2026-11-22; 0: all that is kept")
	cmd.Flags().Var(&by, "by", "what is counted apart: "+by.List())
	cmd.Flags().StringVar(&profile, "profile", "", "only of the API with this name")
	config.WithoutVariables(cmd.Flags(), "since", "profile") // of a server, the latter is another thing
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "as CSV; a cell that a spreadsheet would take for a formula begins with an apostrophe")
	return cmd
}

// callerColumn is a column that tells callers apart.
type callerColumn struct {
	by    callers.Dimension
	value func(*callers.Calls) *string
	field func(*callerRecord) **string
}

// callerColumns returns the columns of a dimension.
func callerColumns(by callers.Dimension) []callerColumn {
	all := []callerColumn{
		{callers.ByEndpoint, func(c *callers.Calls) *string { return &c.Endpoint }, func(r *callerRecord) **string { return &r.Endpoint }},
		{callers.ByUser, func(c *callers.Calls) *string { return &c.User }, func(r *callerRecord) **string { return &r.User }},
		{callers.ByClient, func(c *callers.Calls) *string { return &c.Client }, func(r *callerRecord) **string { return &r.Client }},
		{callers.ByAgent, func(c *callers.Calls) *string { return &c.Agent }, func(r *callerRecord) **string { return &r.Agent }},
	}
	return slices.DeleteFunc(all, func(c callerColumn) bool { return by != callers.ByAll && c.by != by })
}

// cell returns the text of a column, outside JSON.
func (c callerColumn) cell(calls *callers.Calls) string {
	if calls.Other && c.by != callers.ByEndpoint {
		return otherCallers
	}
	return *c.value(calls)
}

// writeCallers writes a table, or JSON.
func writeCallers(w io.Writer, asJSON bool, all []callers.Calls, by callers.Dimension) error {
	columns := callerColumns(by)
	head := "PROFILE"
	for _, c := range columns {
		head += "\t" + strings.ToUpper(string(c.by))
	}
	t := term.NewTable(w, asJSON, head+"\tREQUESTS\tREFUSED\tFIRST\tLAST")
	for _, calls := range all {
		r := callerRecord{Profile: calls.Profile, Other: calls.Other, Requests: calls.Requests, Refused: calls.Refused, First: calls.First, Last: calls.Last}
		cells := []any{calls.Profile}
		for _, c := range columns {
			if !calls.Other || c.by == callers.ByEndpoint {
				*c.field(&r) = c.value(&calls)
			}
			cells = append(cells, term.Dash(c.cell(&calls)))
		}
		cells = append(cells, calls.Requests, calls.Refused, term.FormatTime(calls.First), term.FormatTime(calls.Last))
		if err := t.Row(r, strings.Repeat("%s\t", 1+len(columns))+"%d\t%d\t%s\t%s", cells...); err != nil {
			return err
		}
	}
	return t.End()
}

// writeCallersCSV writes CSV (RFC 4180) with each cell in quotes: spreadsheets also split at
// semicolons and tabs.
func writeCallersCSV(w io.Writer, all []callers.Calls, by callers.Dimension) error {
	columns := callerColumns(by)
	head := []string{"profile"}
	for _, c := range columns {
		head = append(head, string(c.by))
	}
	rows := [][]string{append(head, "requests", "refused", "first", "last")}
	for _, calls := range all {
		row := []string{harmless(calls.Profile)}
		for _, c := range columns {
			row = append(row, harmless(c.cell(&calls)))
		}
		rows = append(rows, append(row, strconv.FormatInt(calls.Requests, 10), strconv.FormatInt(calls.Refused, 10), calls.First.Format(time.RFC3339Nano), calls.Last.Format(time.RFC3339Nano)))
	}
	var out strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			row[i] = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		out.WriteString(strings.Join(row, ",") + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// beginsFormula has what a spreadsheet takes for the beginning of a formula.
const beginsFormula = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"

// harmless returns a cell that no spreadsheet takes for a formula, nor shows as another text: clients
// choose User-Agents.
func harmless(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	formula := cell != "" && strings.ContainsRune(beginsFormula, first) || strings.Contains(cell, ";=")
	cell = term.Printable(cell)
	if formula {
		return "'" + cell
	}
	return cell
}
