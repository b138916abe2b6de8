/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What names and addresses from requests and guests may look like. Pure. NULL is never valid. */
#pragma once

#include <glib.h>

gboolean text_is_pci_address(const char *text); /* "0000:01:10.2", lower case */
gboolean text_is_pci_path(const char *text);    /* "02.3/00.0": device.function of each hop */
gboolean text_is_mac(const char *text);         /* "52:54:00:aa:00:01", any case */
gboolean text_is_link_name(const char *text);   /* 1-15 bytes a Linux network device may have */
gboolean text_is_name(const char *text); /* 1-LIMIT_NAME_BYTES of UTF-8, nothing unprintable */
