#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# What builds the page: node and npm of this machine, or Debian's if there are none, and the
# packages of package-lock.json, each at its version and with its checksum.  Nothing of a
# package runs while it is installed (.npmrc).
set -eu
cd "$(dirname "$0")"
if ! command -v npm >/dev/null 2>&1 || ! command -v node >/dev/null 2>&1; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get update >/dev/null && apt-get install -y --no-install-recommends nodejs npm >/dev/null || {
		echo "npm.sh: node and npm are not there and could not be installed" >&2
		exit 1
	}
fi
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' || {
	echo "npm.sh: node 18 or later is needed, this one is $(node --version)" >&2
	exit 1
}
# npm ci begins with an empty folder: nothing of an earlier state gets into the page
if ! cmp -s package-lock.json node_modules/.installed-from; then
	npm ci --loglevel=error
	cp package-lock.json node_modules/.installed-from
fi
