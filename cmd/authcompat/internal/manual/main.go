// Command manual writes what packages have of the command tree: a man page for each command, and the
// completions of shells.
//
//	manual FOLDER VERSION
//
// writes FOLDER/man1/*.1, FOLDER/authcompat.bash, FOLDER/_authcompat (zsh) and FOLDER/authcompat.fish. The date of the pages is
// SOURCE_DATE_EPOCH, in seconds since 1970, so that two runs write the same bytes.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/cli"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: manual FOLDER VERSION")
		os.Exit(2)
	}
	if err := write(cli.Commands(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(2)
	}
}

// write writes all pages and completions of a command tree into a folder, which it makes.
func write(root *cobra.Command, folder, version string) error {
	if os.Getenv("SOURCE_DATE_EPOCH") == "" {
		return errors.New("SOURCE_DATE_EPOCH is not set: the date of the pages")
	}
	pages := filepath.Join(folder, "man1")
	if err := os.MkdirAll(pages, 0o755); err != nil {
		return err
	}
	// Before the pages: their texts are changed for them.
	err := errors.Join(
		root.GenBashCompletionFileV2(filepath.Join(folder, "authcompat.bash"), true),
		root.GenZshCompletionFile(filepath.Join(folder, "_authcompat")),
		root.GenFishCompletionFile(filepath.Join(folder, "authcompat.fish"), true),
	)
	if err != nil {
		return err
	}
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true
	toMarkdown(root)
	return doc.GenManTreeFromOpts(root, doc.GenManTreeOptions{
		Path: pages, CommandSeparator: "-",
		Header: &doc.GenManHeader{Section: "1", Source: "authcompat " + version, Manual: "authcompat"},
	})
}

// toMarkdown makes Markdown, which cobra's generator takes help for, of the texts of a command and of those below it.
func toMarkdown(cmd *cobra.Command) {
	cmd.Short, cmd.Long = escape(cmd.Short), markdown(cmd.Long)
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) { f.Usage = escape(f.Usage) })
	}
	for _, below := range cmd.Commands() {
		toMarkdown(below)
	}
}

// markdown returns a help text as Markdown: what is indented in it stays as it is written.
func markdown(text string) string {
	var out strings.Builder
	verbatim := false
	for line := range strings.Lines(text) {
		indented := strings.HasPrefix(line, "  ")
		switch blank := strings.TrimSpace(line) == ""; {
		case blank:
		case indented != verbatim:
			out.WriteString("\n") // a block of the other kind
			verbatim = indented
		}
		if indented {
			out.WriteString("    " + line)
		} else {
			out.WriteString(escape(line))
		}
	}
	return out.String()
}

// escape returns a text in which no character is markup.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", `\<`, "[", `\[`, "#", `\#`, "~", `\~`).Replace(text)
}
