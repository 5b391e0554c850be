package server

import (
	"context"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/wait"
)

// notify tells the service manager the states of this process, as sd_notify(3) describes them. Without
// NOTIFY_SOCKET there is nobody to tell.
func (s *server) notify(states ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(states, "\n")); err != nil {
		s.log.Warn("the service manager could not be told the state of the server", "state", states[0], "error", err)
	}
}

// notifyReloading tells that a reload begins. systemd takes the time as its order beside that of the signal.
func (s *server) notifyReloading() {
	s.notify(daemon.SdNotifyReloading, strings.TrimSuffix(daemon.SdNotifyMonotonicUsec(), "\n"))
}

// notifyReady tells that requests are answered, and what the last reload came to; empty: nothing to say.
func (s *server) notifyReady(status string) {
	s.notify(daemon.SdNotifyReady, "STATUS="+status)
}

// notifyStopping tells that requests in flight are finished, and no others taken.
func (s *server) notifyStopping() { s.notify(daemon.SdNotifyStopping) }

// feedWatchdog tells the service manager, until ctx ends and twice in the time that it waits (WatchdogSec=), that this
// process runs. It doesn't ask the store: a database that is down is no reason to start the server anew, and /readyz tells of it.
func (s *server) feedWatchdog(ctx context.Context) {
	patience, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("the service manager's watchdog is not served", "error", err)
	}
	if patience <= 0 {
		return
	}
	for {
		s.notify(daemon.SdNotifyWatchdog)
		if !wait.For(ctx, patience/2) {
			return
		}
	}
}
