package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
)

func newReady() *cobra.Command {
	var manage config.ManageSettings
	timeout := flagvalue.Duration(5 * time.Second) // a server takes 2 s at most
	cmd := &cobra.Command{
		Use:   "ready",
		Short: "Ask a running server whether it is ready, as probes of containers do",
		Long: `Ask the management listener of a running server (serve --manage) at /readyz whether it is ready: whether its store
answers, and the applications behind its APIs can be reached.

Exit codes: 0 ready, 1 not ready, with what is not, 2 nobody answered in time.`,
		Example: `  authcompat ready --manage 127.0.0.1:8081
  authcompat ready --config /etc/authcompat/authcompat.yaml --timeout 2s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			address, err := manage.Address()
			if err != nil {
				return err
			}
			if timeout == 0 {
				return errors.New("--timeout 0: a server has to have some time, such as 5s")
			}
			if err := askReady(cmd.Context(), address, time.Duration(timeout)); err != nil {
				return err
			}
			return term.Printf(cmd.OutOrStdout(), "ready\n")
		},
	}
	manage.AddFlags(cmd.Flags())
	cmd.Flags().Var(&timeout, "timeout", "how long the answer may take")
	return cmd
}

// maxReason is how much is read of why a server is not ready, in bytes.
const maxReason = 4 << 10

// askReady asks the management listener at an address whether a server is ready. The error has the code
// command.Verdict if it is not.
func askReady(ctx context.Context, address string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	// Neither a proxy, which a variable may name, nor another address is asked.
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	var reason []byte
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		reason, err = io.ReadAll(io.LimitReader(response.Body, maxReason))
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer within %v", address, timeout)
	case err != nil:
		var sending *url.Error // which has the URL again
		if errors.As(err, &sending) {
			err = sending.Err
		}
		return fmt.Errorf("%s does not answer: %w", address, err)
	case response.StatusCode == http.StatusOK:
		return nil
	case response.StatusCode == http.StatusServiceUnavailable:
		return &command.ExitError{Code: command.Verdict, Err: errors.New("not ready: " + strings.TrimSpace(string(reason)))}
	}
	return fmt.Errorf("%s answers with %s: that is no management listener of authcompat", address, response.Status)
}
