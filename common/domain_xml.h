/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what migration needs from a domain's XML, and leaves out what cannot. libxml2: no network,
 * no entities, bounded size and depth. Pure: touches nothing but its arguments. */
#pragma once

#include <glib.h>

/* How a passthrough vNIC is written in the domain XML. */
typedef enum {
    VNIC_FORM_HOSTDEV,   /* <hostdev mode='subsystem' type='pci'> */
    VNIC_FORM_INTERFACE, /* <interface type='hostdev'> */
    VNIC_FORM_NETWORK,   /* <interface type='network'> on a <forward mode='hostdev'> network */
} VnicForm;

/* A passthrough PCI device of the domain; whether it is a VF of a NIC is for the host to say. */
typedef struct {
    VnicForm form;
    char *alias;    /* "hostdev0"; NULL in inactive XML without one */
    char *mac;      /* lower case; NULL for VNIC_FORM_HOSTDEV */
    char *function; /* host PCI address "0000:01:10.2"; NULL when a network has not chosen yet */
    char *network;  /* libvirt network name; NULL if none */
    char *guest_address; /* <address> of the guest: "0000:04:00.0"; NULL if none */
    char *guest_path;    /* device.function of each hop from the root bus, "02.3/00.0": matches the
                            tail of the guest's sysfs path whatever bus numbers it assigned */
    char *teaming;       /* "transient" | "persistent" | NULL */
    char *xml;           /* the element as written, serialised */
} DomainPassthrough;

/* A VirtIO vNIC. */
typedef struct {
    char *alias;
    char *mac;
    char *bridge; /* NULL if not a bridge */
    char *network;
    char *target; /* host tap device; NULL when not running */
    char *guest_path;
    gboolean filtered; /* has a <filterref> */
    char *xml;         /* the element as written, serialised */
} DomainVirtioNic;

/* One image below another, as the XML names it. */
typedef struct {
    char *source; /* as in DomainDisk */
    char *format;
} DomainBacking;

typedef struct {
    char *target;        /* "vda" */
    char *device;        /* disk | cdrom | lun | floppy */
    char *type;          /* file | block | network | volume | ... */
    char *source;        /* path for file and block, else a short description; NULL if empty */
    char *pool, *volume; /* of type volume; else NULL */
    char *format;        /* driver type; "raw" when absent as libvirt defines it */
    char *cache;         /* NULL if default */
    gboolean read_only;
    gboolean shareable;
    gboolean transient;
    gboolean encrypted;
    gboolean owner_kept;  /* a <seclabel> keeps libvirt from changing the image's owner */
    gboolean has_backing; /* the XML names a non-empty <backingStore> */
    GPtrArray *backing;   /* of DomainBacking *, the nearest first; NULL: none */
} DomainDisk;

typedef struct {
    char *name;
    char *uuid;
    gboolean has_agent;       /* channel org.qemu.guest_agent.0 present */
    gboolean agent_connected; /* its state='connected' (live XML only) */
    GPtrArray *passthrough;   /* of DomainPassthrough * */
    GPtrArray *virtio_nics;   /* of DomainVirtioNic * */
    GPtrArray *disks;         /* of DomainDisk * */
} DomainXml;

/* Parses at most LIMIT_DOMAIN_XML_BYTES. FAULT_HYPERVISOR_FAILED naming the guest if malformed. */
DomainXml *domain_xml_parse(const char *xml, GError **error);
void domain_xml_free(DomainXml *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainXml, domain_xml_free)

/* An <interface type='bridge'> with a VirtIO model. Owned by the caller. */
char *domain_xml_build_virtio_nic(const char *bridge, const char *mac);
/* @nic_xml, an <interface>, without its <filterref>. Owned by the caller. */
char *domain_xml_without_filter(const char *nic_xml, GError **error);
