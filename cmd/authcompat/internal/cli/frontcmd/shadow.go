package frontcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/conformance/shadow"
)

// NewShadow returns the command shadow and what is below it.
func NewShadow() *cobra.Command {
	return command.Group("shadow", "Say whether this server would answer as the old one does", newShadowReport(), newShadowGate())
}

// shadowFlags are what both commands have.
type shadowFlags struct {
	thresholds string
	since      flagvalue.Since
	asJSON     bool
}

func (f *shadowFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.thresholds, "thresholds", "", "YAML file with what is enough evidence, and which differences are known")
	cmd.Flags().Var(&f.since, "since", "only what was compared in the last hours or days, as 24h or 7d, or from a time on, as 2026-11-22T06:00:00Z or 2026-11-22; 0: all")
	config.WithoutVariables(cmd.Flags(), "since")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "as a JSON object")
}

func newShadowReport() *cobra.Command {
	var f shadowFlags
	cmd := &cobra.Command{
		Use:   "report JOURNAL…",
		Short: "Show by endpoint what was compared, and what differed",
		Long: `Show by endpoint how many requests were drawn, compared, the same, the same but for noise, different in a way that
is known (--thresholds), and different; how many users they are of, and how many were skipped. AT MOST is what the rate of
differences is at most, with a confidence of 95 %, if those compared are like all others. Several journals, as of
several nodes, are added up; what is in JOURNAL.1, the older part of a journal, too.

Values are shown by their form: a for a letter, A for a capital, 9 for a digit.

Exit codes: 0 shown, 2 could not run.`,
		Example: "  authcompat shadow report shadow.jsonl\n  authcompat shadow report --thresholds gate.yaml --json node1.jsonl node2.jsonl",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, _, err := f.summarize(cmd.Context(), cmd.ErrOrStderr(), args)
			if err != nil {
				return err
			}
			if f.asJSON {
				return term.Report(cmd.OutOrStdout(), true, jsonSummary(s), "")
			}
			return writeSummary(cmd.OutOrStdout(), s)
		},
	}
	f.add(cmd)
	return cmd
}

// The exit codes of the gate, beside 0.
const (
	gateDiffers   = 1
	gateTooLittle = 2
	gateCouldNot  = "3"
)

func newShadowGate() *cobra.Command {
	var f shadowFlags
	cmd := &cobra.Command{
		Use:   "gate JOURNAL…",
		Short: "Decide whether what was compared is enough to switch",
		Long: `Decide whether the evidence is enough: 3000 requests of 100 users on 3 days, at least one to each endpoint, no
difference, and at most half of what was drawn skipped, unless --thresholds says otherwise:

  requests: 3000
  users: 100
  days: 3
  differences: 0
  each: 1         # requests to each endpoint
  skipped: 50%
  known:
    - {endpoint: login, place: header Vary, reason: nginx adds it}

Exit codes: 0 ready, 1 differences, 2 too little evidence, 3 could not run.`,
		Example:     "  authcompat shadow gate shadow.jsonl && authcompat cutover set login=1%",
		Args:        cobra.MinimumNArgs(1),
		Annotations: map[string]string{command.FailureCode: gateCouldNot},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, thresholds, err := f.summarize(cmd.Context(), cmd.ErrOrStderr(), args)
			if err != nil {
				return err
			}
			verdict, criteria := thresholds.Gate(s)
			if err := writeGate(cmd.OutOrStdout(), f.asJSON, verdict, criteria, s); err != nil {
				return err
			}
			switch verdict {
			case shadow.Ready:
				return nil
			case shadow.Differences:
				return &command.ExitError{Code: gateDiffers}
			}
			return &command.ExitError{Code: gateTooLittle}
		},
	}
	f.add(cmd)
	return cmd
}

// summarize reads the journals and the thresholds. It warns on errOut.
func (f *shadowFlags) summarize(ctx context.Context, errOut io.Writer, paths []string) (s shadow.Summary, t shadow.Thresholds, err error) {
	t = shadow.DefaultThresholds()
	if f.thresholds != "" {
		text, err := os.ReadFile(f.thresholds)
		if err != nil {
			return s, t, fmt.Errorf("--thresholds: %w", err)
		}
		if t, err = shadow.ParseThresholds(f.thresholds, text); err != nil {
			return s, t, err
		}
	}
	records, err := readJournals(ctx, paths)
	if err != nil {
		return s, t, err
	}
	since := f.since.Time(time.Now())
	records = slices.DeleteFunc(records, func(r shadow.Record) bool {
		return r.At.Before(since) && r.Verdict != shadow.Learned && r.Verdict != shadow.Started
	})
	s = shadow.Summarize(records, t.Known)
	for _, k := range s.Unmet {
		if err := term.Printf(errOut, "%s: there is no such difference (any more): %s\n", k.At, k.Place); err != nil {
			return s, t, err
		}
	}
	return s, t, nil
}

// readJournals reads journals, with their older parts before them.
func readJournals(ctx context.Context, paths []string) ([]shadow.Record, error) {
	if slices.Contains(paths, "") {
		return nil, errors.New("the name of a journal is empty")
	}
	records, err := shadow.ReadAll(ctx, paths)
	var missing *fs.PathError
	if errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file; a server makes it when it starts with front: {shadow: {journal: %[1]s}} (docs/shadow.md)", missing.Path)
	}
	return records, err
}
