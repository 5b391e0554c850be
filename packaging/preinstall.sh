#!/bin/sh
# deb: install|upgrade [VERSION]; rpm: 1|2. The files of the package belong to this user and group.
set -e
getent group authcompat >/dev/null || groupadd --system authcompat
getent passwd authcompat >/dev/null || useradd --system --gid authcompat --home-dir /var/lib/authcompat --no-create-home \
	--shell /usr/sbin/nologin --comment "authcompat server" authcompat
