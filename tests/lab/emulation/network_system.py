# SPDX-License-Identifier: LGPL-2.1-or-later
"""What configures a machine's network at boot: systemd-networkd, NetworkManager or ifupdown, with
one NIC that it configures and everything else left alone."""

from .deadline import wait_for

UNITS = "/etc/systemd/system"


class NetworkSystem:
    """One of them on a host. Use as a context manager: masked and without files afterwards."""

    def __init__(self, host, name, units, files, state):
        self.host = host
        self.name = name
        self._units = units
        self._files = files
        self._state = state

    def __enter__(self):
        for path, text in self._files.items():
            self.host.run(["install", "-D", "-m", "600" if "nmc" in path else "644", "/dev/stdin",
                           path], stdin=text)
        self.host.run(["rm", "-f", *(f"{UNITS}/{unit}" for unit in self._units)])
        self.host.run("systemctl daemon-reload")
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        for unit in self._units:
            self.host.run(["ln", "-sf", "/dev/null", f"{UNITS}/{unit}"])
        self.host.run(["rm", "-rf", *self._files])
        self.host.run("systemctl daemon-reload")

    def start(self):
        """Starts it as a boot does, which does not wait for it before devices appear."""
        self.host.run(["systemctl", "start", "--no-block", self._units[0]])

    def stop(self):
        """Ends it, and forgets what it knows from this boot."""
        self.host.run(["systemctl", "stop", *self._units], check=False)
        self.host.run(f"rm -rf {self._state}")

    def content(self):
        """All its configuration, to compare."""
        return self.host.output("cd /etc && find systemd/network NetworkManager/system-connections "
                                "network -type f | sort | xargs -r sha256sum")


def networkd(host, nic, address):
    """systemd-networkd with a .network file for the NIC."""
    text = f"[Match]\nName={nic}\n\n[Network]\nAddress={address}\nLinkLocalAddressing=no\n"
    return NetworkSystem(host, "networkd", ["systemd-networkd.service", "systemd-networkd.socket"],
                         {"/etc/systemd/network/50-lan.network": text}, "/run/systemd/netif/*")


def networkmanager(host, nic, address):
    """NetworkManager with a profile for the NIC."""
    others = "interface-name:mgmt;interface-name:pf0;interface-name:br0;interface-name:vir*"
    profile = (f"[connection]\nid=lan\nuuid=6e0e4ee8-8a44-4b1b-9f43-21a0a5f5e0c1\ntype=ethernet\n"
               f"interface-name={nic}\n\n[ipv4]\nmethod=manual\naddress1={address}\n\n"
               f"[ipv6]\nmethod=disabled\n")
    return NetworkSystem(host, "networkmanager", ["NetworkManager.service",
                                                  "NetworkManager-dispatcher.service"],
                         {"/etc/NetworkManager/conf.d/lab.conf":
                          f"[main]\nplugins=keyfile\nno-auto-default=*\ndns=none\n\n"
                          f"[keyfile]\nunmanaged-devices={others}\n",
                          "/etc/NetworkManager/system-connections/lan.nmconnection": profile},
                         "/run/NetworkManager /var/lib/NetworkManager/*")


def ifupdown(host, nic, address):
    """ifupdown with a stanza for the NIC."""
    return NetworkSystem(host, "ifupdown", ["networking.service"],
                         {"/etc/network/interfaces": "source /etc/network/interfaces.d/*\n",
                          "/etc/network/interfaces.d/lan":
                          f"auto {nic}\niface {nic} inet static\n    address {address}\n"},
                         "/run/network/ifstate*")


SYSTEMS = (networkd, networkmanager, ifupdown)


def wait_address(host, device, address):
    """Waits until the device has the address."""
    wait_for(f"{address} on {device}",
             lambda: address in host.run(["ip", "-4", "-o", "address", "show", "dev", device],
                                         check=False).stdout, 60, 0.5)
