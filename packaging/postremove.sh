#!/bin/sh
# deb: remove|purge|upgrade …; rpm: 0 (removed) or 1 (upgraded).
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
# What was served has the key of the console, and an RPM has no purge.
if [ "$1" = purge ] || [ "$1" = 0 ]; then
	rm -rf /var/log/authcompat
fi
if [ "$1" = purge ]; then
	rm -f /etc/authcompat/environment
	rmdir /etc/authcompat 2>/dev/null || true
	# Users, tokens and the key that seals them are nobody's to delete but the administrator's.
	if [ -d /var/lib/authcompat ] && ! rmdir /var/lib/authcompat 2>/dev/null; then
		echo "authcompat: the databases and keys in /var/lib/authcompat stay; delete them yourself when nobody needs them"
	fi
fi
