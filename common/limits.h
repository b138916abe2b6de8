/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every bound that a caller, a guest or a host could otherwise exceed, in one place. */
#pragma once

/* Varlink */
#define LIMIT_MESSAGE_BYTES       (1024 * 1024) /* one message, NUL excluded */
#define LIMIT_JSON_DEPTH          32
#define LIMIT_CONNECTIONS         256
#define LIMIT_CONNECTIONS_PER_UID 64
#define LIMIT_CONNECTIONS_OF_ROOT 64 /* of LIMIT_CONNECTIONS, kept free for root */
#define LIMIT_WORKERS             16
#define LIMIT_BRIEF_ENTRIES       16                /* of a list that the main loop answers with */
#define LIMIT_OUTPUT_BYTES        (4 * 1024 * 1024) /* queued for a client that does not read */
#define LIMIT_UNREAD_BYTES        (256 * 1024)      /* of answers; then no further call is taken */

#define LIMIT_WATCHERS 64   /* of events */
#define LIMIT_TALLY    1024 /* different things that are counted */

/* Names and lists in requests */
#define LIMIT_NAME_BYTES    255
#define LIMIT_PATH_BYTES    4095
#define LIMIT_TEXT_BYTES    4096
#define LIMIT_VNICS         32
#define LIMIT_DISKS         128
#define LIMIT_BACKING       16   /* images below one */
#define LIMIT_BACKING_BYTES 1023 /* of a path in a qcow2 header: docs/interop/qcow2.txt */
#define LIMIT_EXPORT_HOSTS  64
#define LIMIT_SHARED_FILES  16384 /* looked at to find out who uses an export */
#define LIMIT_OPEN_FILES    65536 /* descriptors looked at to find out who uses a mount */
#define LIMIT_LEASES        4096
#define LIMIT_JOBS          256 /* running at once */
#define LIMIT_JOBS_FINISHED 256 /* remembered after their end */

/* Leases, seconds */
#define LIMIT_LEASE_SECONDS_MIN 1
#define LIMIT_LEASE_SECONDS_MAX 86400
#define LEASE_SECONDS_DEFAULT   60

/* Calls to libvirt on one connection at once: its daemon takes 5 (max_client_requests) */
#define LIMIT_HYPERVISOR_CALLS 4

/* Documents from libvirt, guests and programs */
#define LIMIT_DOMAIN_XML_BYTES     (4 * 1024 * 1024)
#define LIMIT_AGENT_REPLY_BYTES    (1024 * 1024)
#define LIMIT_PROGRAM_OUTPUT_BYTES (256 * 1024)
#define LIMIT_IMAGE_BYTES          (64LL * 1024 * 1024 * 1024 * 1024) /* virtual size of one disk */

/* Hooks of hosts and guests */
#define LIMIT_HOOKS             64 /* in one phase */
#define LIMIT_HOOK_OUTPUT_BYTES 8192
#define LIMIT_HOOK_OUTPUT_LINES 64 /* in the journal, for each hook */

/* Checks */
#define LIMIT_CHECK_THREADS 256 /* running or hanging at once */
#define CHECK_TIMEOUT_MSEC  5000
#define LIMIT_SERVERS       64 /* of network storage, asked at once */
