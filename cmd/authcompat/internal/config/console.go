package config

import (
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
)

// Console are the settings of the operator's console at the management listener.
type Console struct {
	On    flagvalue.Toggle
	Write flagvalue.Toggle // whether it changes anything
	Hosts []string         // names under which it may be asked for, besides those of this machine; without ports
}

// The flags of the console.
const (
	consoleFlag      = "console"
	consoleWriteFlag = "console-write"
	// ConsoleHostFlag is that of explore, too.
	ConsoleHostFlag = "console-host"
)

func (c *Console) addFlags(flags *pflag.FlagSet) {
	// Without a value, as flags that are true or false; the file says on, as all its switches do.
	flags.VarPF(&c.On, consoleFlag, "", "the operator's console at /console/ of the management listener, for who has the key that is printed: on or off").NoOptDefVal = "on"
	flags.VarPF(&c.Write, consoleWriteFlag, "", "let the console disable users, revoke tokens and set the cutover, each asked twice and audited: on or off").NoOptDefVal = "on"
	// It lets others change something: a variable that was set for one server must not reach another.
	WithoutVariables(flags, consoleWriteFlag)
	AddConsoleHosts(flags, &c.Hosts)
}

// AddConsoleHosts adds the flag with names of a console.
func AddConsoleHosts(flags *pflag.FlagSet, hosts *[]string) {
	flags.StringSliceVar(hosts, ConsoleHostFlag, nil, "host name or IP address under which the console may be asked for, besides those of this machine (repeatable)")
}

func consoleSettings() []setting {
	return []setting{
		of("console.enabled", consoleFlag, restartOnly, func(c *Config) *flagvalue.Toggle { return &c.Console.On }),
		of("console.write", consoleWriteFlag, restartOnly, func(c *Config) *flagvalue.Toggle { return &c.Console.Write }),
		listOf("console.hosts", ConsoleHostFlag, restartOnly, func(c *Config) *[]string { return &c.Console.Hosts }),
	}
}

// ConsoleHostProblem says what is wrong with a name of a console; empty: nothing.
func ConsoleHostProblem(name string) string {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil || flagvalue.IsHostName(name) {
		return ""
	}
	return "want the name of a host or an IP address, without a port, such as admin.example.org"
}

// checkConsole checks the settings of the console.
func (f *Server) checkConsole(found *section.Problems) {
	for i, name := range f.Console.Hosts {
		if problem := ConsoleHostProblem(name); problem != "" {
			found.Add(source(f.flags.Lookup(ConsoleHostFlag), i), "%q: %s", name, problem)
		}
	}
	if bool(f.Console.On) && f.Manage == "" && !found.Refused["manage"] {
		found.Add(f.source(consoleFlag), "needs the management listener: give --manage too")
	}
	if bool(f.Console.On) || found.Refused[consoleFlag] {
		return
	}
	if f.Console.Write {
		found.Add(f.source(consoleWriteFlag), "there is no console that could write: give --console too")
	}
	if len(f.Console.Hosts) > 0 {
		found.Add(source(f.flags.Lookup(ConsoleHostFlag), 0), "there is no console to be asked for: give --console too")
	}
}
