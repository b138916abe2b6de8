/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service for a storprepd that is confined: what takes the rights to mount, to become another
 * user, to look at others' processes, or to use a privileged port, and nothing else. */
#pragma once

/*
 * Theory of operation. storprepd, which reads what guests and strangers wrote, has none of these
 * rights and a mount namespace of its own. It starts `storprep-nfs ask` as it would start a verb:
 * that process hands its arguments and its standard streams to the service (one message of a
 * SOCK_SEQPACKET socket: a JSON array of strings, with the three descriptors), waits for the exit
 * status (a message of one byte), and ends with it. When it is killed, at storprepd's deadline, its
 * connection ends and the service kills what works for it. Only root may connect, and only the
 * privileged verbs are done.
 */

/* Serves the listening socket that is standard input, as systemd hands it over. Does not return
 * but for an error, which it tells on standard error: the exit status. */
int nfs_service_run(void);

/* Has the service at @socket_path run the verb @arguments[0] with the arguments behind it
 * (NULL-terminated); its input and output are this process's. Blocks until it has ended. Returns
 * its exit status, or NFS_STATUS_FAILED with the reason on standard error. */
int nfs_service_ask(const char *socket_path, char **arguments);
