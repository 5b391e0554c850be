#!/bin/sh
# deb: configure [OLD VERSION]; rpm: 1 (installed) or 2 (upgraded). The first start is the administrator's, who
# chooses a profile before it; a server that runs goes on with the new program.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	if [ "$1" = 2 ] || { [ "$1" = configure ] && [ -n "$2" ]; }; then
		systemctl try-restart authcompat.service
	fi
fi
