#!/bin/sh
# deb: remove|upgrade …; rpm: 0 (removed) or 1 (upgraded).
set -e
if [ -d /run/systemd/system ] && { [ "$1" = remove ] || [ "$1" = 0 ]; }; then
	systemctl disable --now authcompat.service
fi
