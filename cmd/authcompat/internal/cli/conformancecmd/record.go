package conformancecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/record"
	"github.com/authcompat/authcompat/conformance/wire"
	"github.com/authcompat/authcompat/profiles"
)

type recordFlags struct {
	profile  string
	upstream string
	listen   string
	output   string
	replay   bool
	timeout  flagvalue.Duration // of a request with its response
}

func newRecord() *cobra.Command {
	f := recordFlags{timeout: flagvalue.Duration(conformance.DefaultTimeout)}
	cmd := &cobra.Command{
		Use:   "record --profile NAME|FILE --upstream URL --listen ADDRESS -o FILE",
		Short: "Record a live API as an exchange file",
		Long: `Record a live API: a proxy in front of it, to which clients are sent for a while. Ctrl-C (SIGINT) or SIGTERM ends
the recording and writes an exchange file, which conformance run replays at any server.

What belongs together becomes one exchange: by the tokens, cookies, ids and users in it. Passwords, tokens and
cookies are in memory only: in the file references and made-up values stand for them, and it is not written if
one is left. The file is for its owner alone (mode 0600).

Then the recording is replayed at the recorded server, unless --replay=false: with the recorded passwords, and
new names for users that it registers. A value that differs there becomes a placeholder of its type; exchanges
that differ otherwise stay in the file with the reason, and are not replayed. What changes a user who was
there before is not replayed at the recorded server.

Exit codes: 0 the file is written, 2 it is not.`,
		Example: `  authcompat conformance record --profile ocd-users --upstream http://127.0.0.1:8000 --listen 127.0.0.1:8080 -o my.yaml
  authcompat conformance run --exchanges my.yaml
  authcompat conformance record har --profile ocd-users -o my.yaml browser.har`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.record(cmd) },
	}
	f.add(cmd, true)
	cmd.Flags().StringVar(&f.listen, "listen", "", "address to listen at for clients, HOST:PORT")
	cmd.AddCommand(newRecordHAR())
	return cmd
}

func newRecordHAR() *cobra.Command {
	f := recordFlags{timeout: flagvalue.Duration(conformance.DefaultTimeout)}
	cmd := &cobra.Command{
		Use:   "har --profile NAME|FILE -o FILE HAR",
		Short: "Make an exchange file of an HTTP archive",
		Long: `Make an exchange file of an HTTP archive (HAR), as browsers and mitmproxy export it, in the way of conformance
record. Browsers leave passwords, tokens and cookies out ("sanitized") unless they are asked not to: that is said.
With --replay and --upstream the recording is replayed at the recorded server.

Exit codes: 0 the file is written, 2 it is not.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.recordHAR(cmd, args[0]) },
	}
	f.add(cmd, false)
	return cmd
}

func (f *recordFlags) add(cmd *cobra.Command, replay bool) {
	flags := cmd.Flags()
	flags.StringVar(&f.profile, "profile", "", "profile of the API: a built-in name or a file")
	flags.StringVar(&f.upstream, "upstream", "", "URL of the server that is recorded")
	flags.StringVarP(&f.output, "output", "o", "", "exchange file to write, which must not be there yet")
	flags.BoolVar(&f.replay, "replay", replay, "replay the recording at the recorded server, to find out what differs there by itself")
	config.WithoutVariables(flags, "upstream", "replay") // a replay changes users there
	flags.Var(&f.timeout, "timeout", "how long a request may take at the recorded server")
}

// options checks the flags and returns what the exchange file is to say.
func (f *recordFlags) options(ctx context.Context) (record.Options, error) {
	options := record.Options{Source: record.Today(time.Now())}
	switch {
	case f.profile == "":
		return options, fmt.Errorf("which profile? Give --profile NAME or FILE; built in are %s", strings.Join(profiles.Builtin(), ", "))
	case f.output == "":
		return options, errors.New("where to? Give the exchange file to write, -o FILE")
	case f.output == "-":
		return options, errors.New("-o -: it goes into a file, which its owner alone can read: give -o FILE")
	case f.timeout == 0:
		return options, errors.New("--timeout 0: a request has to have some time, such as 20s")
	}
	p, err := profiles.LoadContext(ctx, f.profile)
	if err != nil {
		return options, explainExchanges(ctx, f.profile, err, "give the profile of the API")
	}
	options.Profile = p.Name
	for _, e := range p.Endpoints {
		if e.Action == profiles.Register {
			options.Registrations = append(options.Registrations, e.Path)
		}
	}
	return options, f.checkOutput()
}

// checkOutput finds out now whether the file can be written, and not after a day of recording.
func (f *recordFlags) checkOutput() error {
	err := record.WriteNew(f.output, nil)
	if err == nil {
		return os.Remove(f.output)
	}
	return f.outputError(err)
}

func (f *recordFlags) outputError(err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("-o %s: it is there already, and is not replaced: give another name, or remove it", f.output)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("-o %s: its folder is not there: make it first", f.output)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("-o %s: no permission to write there: give a file in a folder of yours", f.output)
	}
	return fmt.Errorf("-o %w", err)
}

// checkUpstream checks the URL. Nothing is shown of one that may have a password in it.
func (f *recordFlags) checkUpstream() error {
	u, err := url.Parse(f.upstream)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("--upstream: want the URL of the server to record, http://HOST or https://HOST, without user, query and fragment")
	}
	return nil
}

func (f *recordFlags) record(cmd *cobra.Command) error {
	ctx := cmd.Context()
	if f.upstream == "" || f.listen == "" {
		return errors.New("which server? Give --upstream URL, and the address for clients, --listen HOST:PORT")
	}
	if err := f.checkUpstream(); err != nil {
		return err
	}
	options, err := f.options(ctx)
	if err != nil {
		return err
	}
	if err := f.reach(ctx); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("--listen %s: something listens there already: give another port, or end that", f.listen)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("--listen %s: no permission: give a port from 1024", f.listen)
	case err != nil:
		return fmt.Errorf("--listen %s: want HOST:PORT of this machine, such as 127.0.0.1:8080: %w", f.listen, err)
	}
	var recording record.Recording
	proxy, err := record.NewProxy(f.upstream, time.Duration(f.timeout), nil, &recording)
	if err != nil {
		return errors.Join(fmt.Errorf("--upstream: %w", err), listener.Close())
	}
	said := cmd.ErrOrStderr()
	fmt.Fprintf(said, "recording %s: send clients to http://%s; Ctrl-C ends it and writes %s\n", f.upstream, listener.Addr(), f.output)
	if err := proxy.Serve(ctx, listener); err != nil {
		return err
	}
	calls, dropped := recording.Calls()
	if dropped > 0 {
		fmt.Fprintf(said, "%s came when the recording was full (%d requests, or %d MiB): record in parts\n", term.Count(dropped, "request", "requests"), record.MaxCalls, record.MaxBytes>>20)
	}
	failures, problem := proxy.Failures()
	if failures > 0 {
		fmt.Fprintf(said, "%s could not be passed on; the last: %s\n", term.Count(failures, "request", "requests"), term.Printable(problem))
	}
	// Whoever ended the recording wants it written. A second Ctrl-C ends the process.
	return f.write(context.WithoutCancel(ctx), cmd, calls, options)
}

// reach finds out whether there is a server.
func (f *recordFlags) reach(ctx context.Context) error {
	client, err := wire.NewClient(f.upstream, time.Duration(f.timeout), nil)
	if err != nil {
		return fmt.Errorf("--upstream: %w", err)
	}
	_, err = client.Do(ctx, wire.Request{Method: "GET", Path: "/"})
	var failed *wire.Error
	if errors.As(err, &failed) && failed.Kind == wire.Unreachable {
		return fmt.Errorf("--upstream %s: nothing answers there: start the server, or correct the address: %w", f.upstream, err)
	}
	return ctx.Err()
}

func (f *recordFlags) recordHAR(cmd *cobra.Command, path string) error {
	ctx := cmd.Context()
	if f.upstream != "" {
		if err := f.checkUpstream(); err != nil {
			return err
		}
	}
	if f.replay && f.upstream == "" {
		return errors.New("--replay: at which server? Give --upstream URL")
	}
	options, err := f.options(ctx)
	if err != nil {
		return err
	}
	data, err := readHAR(ctx, path)
	if err != nil {
		return err
	}
	archive, err := record.ReadHAR(data, f.upstream)
	switch {
	case errors.Is(err, record.ErrNotHAR):
		return fmt.Errorf("%s: %w: export one from the browser's network panel (Save all as HAR), or with mitmdump --set hardump=FILE", path, err)
	case errors.Is(err, record.ErrOrigins):
		return fmt.Errorf("%s: %w: say which is the API, --upstream URL", path, err)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	var left []string
	for _, reason := range sortedReasons(archive.Left) {
		left = append(left, fmt.Sprintf("%s left out: %s", term.Count(archive.Left[reason], "entry is", "entries are"), reason))
	}
	if len(archive.Calls) == 0 && len(left) > 0 {
		return fmt.Errorf("%s: no entry of it can be used (%s): look at --upstream, or export it with the bodies of responses", path, strings.Join(left, "; "))
	}
	said := cmd.ErrOrStderr()
	for _, line := range left {
		fmt.Fprintln(said, line)
	}
	if archive.Sanitized {
		fmt.Fprintf(said, "%s: no entry has an Authorization, Cookie or Set-Cookie header: if the API uses them, the export was sanitized: export it with sensitive data\n", path)
	}
	return f.write(ctx, cmd, archive.Calls, options)
}

// write makes the exchange file.
func (f *recordFlags) write(ctx context.Context, cmd *cobra.Command, calls []record.Call, options record.Options) error {
	draft, err := record.NewDraft(calls, options)
	if errors.Is(err, record.ErrEmpty) {
		return fmt.Errorf("%w, and no file is written: send the requests of your clients through the proxy, or give another archive", err)
	}
	if err != nil {
		return err
	}
	said := cmd.ErrOrStderr()
	if f.replay {
		if err := draft.Settle(ctx, record.At{URL: f.upstream, Timeout: time.Duration(f.timeout)}); err != nil {
			fmt.Fprintf(said, "not replayed at the recorded server: %v\n", err)
		}
	}
	summary, err := draft.Write(f.output)
	switch {
	case errors.Is(err, record.ErrNothingLeft):
		return fmt.Errorf("%w, and no file is written: %s", err, strings.Join(leftOut(summary), "; "))
	case errors.Is(err, record.ErrSecretLeft):
		return fmt.Errorf("%w, and no file is written: please report it", err)
	case err != nil:
		return f.outputError(err)
	}
	return writeSummary(cmd.OutOrStdout(), f.output, summary)
}

func writeSummary(out io.Writer, path string, s record.Summary) error {
	text := fmt.Sprintf("%s: %s of %s, from %s", path, term.Count(s.Exchanges, "exchange", "exchanges"), term.Count(s.Sequences, "sequence", "sequences"), term.Count(s.Calls, "request", "requests"))
	if s.Same > 0 {
		text += fmt.Sprintf("; %d had the same text as others", s.Same)
	}
	text += "\n"
	if s.Given > 0 {
		text += fmt.Sprintf("%s variables: a run needs them with --given FILE\n", term.Count(s.Given, "exchange wants", "exchanges want"))
	}
	for _, reason := range sortedReasons(s.Unfit) {
		text += fmt.Sprintf("%s replayed: %s\n", term.Count(s.Unfit[reason], "exchange is not", "exchanges are not"), reason)
	}
	for _, line := range leftOut(s) {
		text += line + "\n"
	}
	if s.InPlace > 0 {
		text += fmt.Sprintf("%s short, or a common word of the API: replaced as a field, and not looked for elsewhere\n", term.Count(s.InPlace, "secret is", "secrets are"))
	}
	_, err := io.WriteString(out, term.PrintableLines(text))
	return err
}

// leftOut says what of a recording is not in the file.
func leftOut(s record.Summary) (lines []string) {
	if s.Dropped > 0 {
		lines = append(lines, fmt.Sprintf("%s left out: a secret is there in a form that can't be replaced", term.Count(s.Dropped, "sequence is", "sequences are")))
	}
	if s.Unwritable > 0 {
		lines = append(lines, fmt.Sprintf("%s left out: no exchange file can hold it (nested too deep, a header over lines, an interim status)", term.Count(s.Unwritable, "sequence is", "sequences are")))
	}
	if s.Beyond > 0 {
		lines = append(lines, fmt.Sprintf("%s left out: the file is full (%d values): record in parts", term.Count(s.Beyond, "sequence is", "sequences are"), conformance.MaxValues))
	}
	if s.Compressed > 0 {
		lines = append(lines, fmt.Sprintf("%s left out: secrets can't be found in a compressed body, or one in UTF-16 or UTF-32", term.Count(s.Compressed, "request is", "requests are")))
	}
	return lines
}

func sortedReasons(counts map[string]int) []string {
	var reasons []string
	for reason := range counts {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	return reasons
}
