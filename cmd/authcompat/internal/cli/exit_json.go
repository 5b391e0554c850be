package cli

import (
	"encoding/json"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli/command"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
)

// asksForJSON reports whether the result of a command was to be JSON. Flags behind one that is wrong
// have not been read, so that the arguments themselves count, too.
func asksForJSON(cmd *cobra.Command, args []string) bool {
	for _, want := range []struct{ flag, value string }{{"json", "true"}, {"format", "json"}} {
		if f := cmd.Flags().Lookup(want.flag); f != nil && f.Value.String() == want.value {
			return true
		}
	}
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	for i, arg := range args {
		if arg == "--json" || arg == "--format=json" || arg == "json" && i > 0 && args[i-1] == "--format" {
			return true
		}
	}
	asked, err := strconv.ParseBool(os.Getenv(config.Variable("json")))
	return err == nil && asked && cmd.Flags().Lookup("json") != nil
}

// complainInJSON writes an error as one line of JSON.
func complainInJSON(w io.Writer, err error, code int) {
	failure := struct {
		Error    string            `json:"error"`
		ExitCode int               `json:"exit_code"`
		Problems []command.Problem `json:"problems,omitempty"`
	}{errorText(err), code, command.ProblemsOf(err)}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(failure) // nobody is left to be told
}
