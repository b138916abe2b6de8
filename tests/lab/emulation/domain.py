# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt definition of a nested guest."""

import xml.etree.ElementTree as ET

CHANNEL = "org.qemu.guest_agent.0"
KERNEL_OPTIONS = ("console=ttyS0 quiet mitigations=off nokaslr audit=0 no_timer_check tsc=reliable "
                  "random.trust_cpu=on net.ifnames=0")
QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"
ET.register_namespace("qemu", QEMU)
FORMS = ("hostdev", "interface", "network")


def _child(parent, tag, text=None, **attributes):
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _pci_address(parent, function):
    domain, bus, rest = function.split(":")
    slot, number = rest.split(".")
    _child(parent, "address", type="pci", domain=f"0x{domain}", bus=f"0x{bus}",
           slot=f"0x{slot}", function=f"0x{number}")


def function_device(form, function, mac):
    """The device element that passes a virtual function ("0000:01:10.0") through.

    hostdev: the plain PCI device, libvirt leaves its MAC alone; interface: libvirt sets `mac`
    as administrative MAC; network: the same on whichever function the pool network picks."""
    if form == "hostdev":
        device = ET.Element("hostdev", mode="subsystem", type="pci", managed="yes")
        _pci_address(_child(device, "source"), function)
    elif form == "interface":
        device = ET.Element("interface", type="hostdev", managed="yes")
        _child(device, "mac", address=mac)
        _pci_address(_child(device, "source"), function)
    elif form == "network":
        device = ET.Element("interface", type="network")
        _child(device, "mac", address=mac)
        _child(device, "source", network="passthrough")
    else:
        raise ValueError(f"form {form} is none of {', '.join(FORMS)}")
    return device


def text(element):
    """The XML text of an element."""
    return ET.tostring(element, encoding="unicode")


def definition(name, *, number, form, nics, disk, bond, metadata=None, memory_mib=128,
               arguments="", slow_unplug=False, helper=True, change=None):
    """The domain element of a guest; form None leaves the virtual functions out.

    nics: a (MAC address, virtual function) for each pair of a function and a VirtIO NIC.
    slow_unplug: PCIe's own hotplug, which gives the guest's people five seconds to object.
    helper: whether the project's program is in the guest.
    change: called with the element, for what no other option does."""
    domain = ET.Element("domain", type="kvm")
    _child(domain, "name", name)
    if metadata is not None:
        _child(domain, "metadata").append(metadata)
    _child(domain, "memory", str(memory_mib), unit="MiB")
    _child(domain, "vcpu", "1")
    system = _child(domain, "os")
    _child(system, "type", "hvm", machine="q35", arch="x86_64")
    _child(system, "kernel", "/usr/lib/lab/vmlinux")
    _child(system, "initrd", "/var/lib/lab/guest-initrd" if helper else "/usr/lib/lab/initrd")
    _child(system, "cmdline",
           f"{KERNEL_OPTIONS} lab.address=10.99.0.{10 + number}/24 lab.bond={bond} {arguments}")
    _child(_child(domain, "features"), "acpi")
    _child(domain, "cpu", mode="host-passthrough", migratable="on")
    clock = _child(domain, "clock", offset="utc")
    _child(clock, "timer", name="hpet", present="no")
    for event in ("poweroff", "reboot", "crash"):
        _child(domain, f"on_{event}", "destroy")
    _devices(domain, name, form, nics, disk)
    if slow_unplug:
        _emulator_options(domain, "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")
    if change:
        change(domain)
    return domain


def _emulator_options(domain, *options):
    line = _child(domain, f"{{{QEMU}}}commandline")
    for option in options:
        _child(line, f"{{{QEMU}}}arg", value=option)


def _devices(domain, name, form, nics, disk):
    devices = _child(domain, "devices")
    _child(devices, "emulator", "/usr/bin/qemu-system-x86_64")
    element = _child(devices, "disk", type="file", device="disk")
    _child(element, "driver", name="qemu", type="qcow2", cache="none")
    _child(element, "source", file=disk)
    _child(element, "target", dev="vda", bus="virtio")
    _child(devices, "controller", type="usb", model="none")
    _child(devices, "controller", type="pci", index="0", model="pcie-root")
    for index in range(1, 8):
        _child(devices, "controller", type="pci", index=str(index), model="pcie-root-port")
    for mac, _ in nics:
        backup = _child(devices, "interface", type="network")
        _child(backup, "mac", address=mac)
        _child(backup, "source", network="bridged")
        _child(backup, "model", type="virtio")
        _child(backup, "rom", enabled="no")
    for mac, function in nics if form else ():
        devices.append(function_device(form, function, mac))
    serial = _child(devices, "serial", type="file")
    _child(serial, "source", path=f"/var/log/libvirt/qemu/{name}.console")
    channel = _child(devices, "channel", type="unix")
    _child(channel, "target", type="virtio", name=CHANNEL)
    _child(devices, "memballoon", model="none")
