# SPDX-License-Identifier: LGPL-2.1-or-later
"""Something in a guest that writes to a disk without a pause and knows what must be there."""

from .deadline import wait_for
from .error import LabError

BLOCK_KIB = 64
SLOTS = 64  # blocks that are written in turns
# Checksums are kept in the guest's memory, which moves with it; a block counts when it is on disk.
SCRIPT = """
rm -rf {run}; mkdir {run} && cd {run} || exit; n=0
while [ ! -e stop ]; do
    head -c {bytes} /dev/urandom > block
    if dd if=block of={device} bs={kib}k seek=$(({first} + n % {slots})) conv=fsync 2> error; then
        sha256sum < block > $((n % {slots})).sum; n=$((n + 1)); echo $n > count
    else
        cat error >> failed
    fi
done
echo > ended
"""
CHECK = """
cd {run} || exit; echo 3 > /proc/sys/vm/drop_caches
for sum in *.sum; do
    dd if={device} bs={kib}k skip=$(({first} + ${{sum%.sum}})) count=1 2>> failed.read |
        sha256sum | cmp -s - $sum || echo "block ${{sum%.sum}} differs"
done
[ ! -s failed ] || {{ echo "failed writes:"; tail -n 3 failed; }}
"""


class Writer:
    """A writer on one disk of a guest, on blocks from `first_mib` on that nothing else uses."""

    def __init__(self, guest, device="/dev/vda", first_mib=48):
        self._guest = guest
        self._values = {"run": f"/run/writer{device.replace('/', '-')}", "device": device,
                        "bytes": BLOCK_KIB * 1024, "kib": BLOCK_KIB, "slots": SLOTS,
                        "first": first_mib * 1024 // BLOCK_KIB}

    def _text(self, template):
        return template.format(**self._values)

    def _read(self, name):
        return self._guest.output(f"cat {self._values['run']}/{name} 2>/dev/null || true")

    def start(self):
        """Begins to write; returns when the first blocks are on the disk."""
        script = f"{self._values['run']}.sh"
        self._guest.output(f"cat > {script} <<'END'\n{self._text(SCRIPT)}END\n"
                           f"setsid sh {script} < /dev/null > /dev/null 2>&1 &")
        self.wait_blocks(8)

    def count(self):
        """The blocks written so far."""
        return int(self._read("count") or 0)

    def wait_blocks(self, more):
        """Waits until so many more blocks are written: the guest goes on."""
        goal = self.count() + more
        wait_for(f"{self._guest.name} to write on", lambda: self.count() >= goal, 60, 0.3)

    def stop_and_check(self):
        """Ends it and reads all back from the disk; LabError with what was lost."""
        run = self._values["run"]
        self._guest.output(f"echo > {run}/stop")
        wait_for("the writer to end", lambda: self._guest.output(
            f"[ -e {run}/ended ] && echo ended || true"), 60, 0.3)
        complaint = self._guest.output(self._text(CHECK), seconds=120)
        if complaint:
            raise LabError(f"{self._guest.name} lost data: {complaint}")

