//go:build no_ui

package server

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
)

// withConsole says that this program has no console.
func (*server) withConsole(context.Context, http.Handler, *config.Config, net.Addr) (http.Handler, error) {
	return nil, errors.New("this program was built without the console (-tags no_ui)")
}
