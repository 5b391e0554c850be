package config

import (
	"errors"
	"net"

	"github.com/spf13/pflag"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
)

// manageFlag is the address of the management listener.
const manageFlag = "manage"

// ManageSettings are what a command needs to know that asks the management listener of a server.
type ManageSettings struct {
	address string
}

// AddFlags adds to a command the flag of the address, as a server has it, and that of the configuration
// file, which sets it.
func (m *ManageSettings) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&m.address, manageFlag, "", "address of the server's management listener, as serve --manage has it")
	flags.String(configFlag, "", "YAML file with the server's settings, of which that of the management listener counts; flags and variables go before it")
}

// Address returns the address to ask at, HOST:PORT. Of a listener at all addresses of a machine, it is
// this machine's own. It fails if none is set, or if it is none.
func (m *ManageSettings) Address() (string, error) {
	if m.address == "" {
		return "", errors.New("which server? Give --manage HOST:PORT, as serve has it, or its --config FILE with manage")
	}
	if err := flagvalue.CheckAddress(m.address, exampleManage); err != nil {
		return "", errors.New("--manage: " + err.Error())
	}
	host, port, err := net.SplitHostPort(m.address)
	if err != nil {
		return "", err // CheckAddress has found it good
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}
