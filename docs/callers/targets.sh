#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Has storprepd of this host make an image, keeps it for a while, and gives it back:
# targets.sh SOCKET PATH BYTES
# varlinkctl comes with systemd 255; elsewhere Python stands in for it. Needs jq.
set -euo pipefail
socket=${1:?usage: targets.sh SOCKET PATH BYTES} path=${2:?a path} bytes=${3:?a size}

# call METHOD PARAMETERS: prints the answer; the status tells whether there was one.
call() {
    if command -v varlinkctl >/dev/null; then
        varlinkctl call --json=short "$socket" "io.migprep.Storage.$1" "$2"
    else
        python3 - "$socket" "io.migprep.Storage.$1" "$2" <<'PYTHON'
import json, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.sendall(json.dumps({"method": sys.argv[2], "parameters": json.loads(sys.argv[3])}).encode() + b"\0")
answer = b""
while not answer.endswith(b"\0"):
    answer += connection.recv(65536) or sys.exit("the connection ended")
answer = json.loads(answer[:-1])
fault = answer.get("parameters", {})
if "error" in answer:
    sys.exit("Call failed: {}: {}: {}; {}".format(answer["error"], *map(fault.get, ("object", "cause", "remedy"))))
print(json.dumps(fault))
PYTHON
    fi
}

made=$(call CreateTargets "$(jq -n --arg path "$path" --argjson bytes "$bytes" --arg token $$ '{
    owner: "targets.sh", token: $token, timeoutSeconds: 60,
    guest: {name: "web1", uuid: "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"},
    targets: [{path: $path, format: "qcow2", virtualSizeBytes: $bytes}]}')")
lease=$(jq '.lease | {lease, generation}' <<<"$made")
echo "made $(jq -r '.lease.paths[]' <<<"$made")"
trap 'call Release "$lease" >/dev/null' EXIT # whatever happens from here on
renewed=$(call Renew "$(jq '. + {timeoutSeconds: 300}' <<<"$lease")")
echo "kept for $(jq '.lease.remainingSeconds > 60' <<<"$renewed")"
trap - EXIT
echo "given back, kept: $(call Release "$lease" | jq .kept)"
