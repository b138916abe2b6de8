/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers that change nothing: a guest's vNICs and bonds, and the host's VFs. */
#pragma once

#include "netprep/network_host.h"

/* The result of Describe. A silent agent is part of the answer, not an error. Blocks. */
json_t *description_of_guest(const NetworkHost *host, const char *guest, GError **error);
/* The results of ListFunctions, ListPhysicalNetworks and ListLeaks. Block. */
json_t *description_of_functions(const NetworkHost *host, GError **error);
json_t *description_of_networks(const NetworkHost *host, GError **error);
json_t *description_of_leaks(const NetworkHost *host, GError **error);
