/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes secrets out of text that is to be shown to strangers. Pure. */
#pragma once

#include <glib.h>

/*
 * A copy of @text (any bytes; what is no UTF-8 is replaced) in which "***" stands for the values of
 * what is called a password, passphrase, secret, token, nonce or key of an interface or cipher, as
 * NAME=VALUE, NAME: VALUE, an XML attribute or JSON; for passwords in URIs; and for private keys in
 * PEM. Names, addresses and paths stay: without them nobody could help. Owned by the caller.
 */
char *redaction_of(const char *text);
