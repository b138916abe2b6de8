/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at one image for what identifies it: done here where its directory is this host's, else
 * by storprep-nfs, which may wait for a server. */
#pragma once

#include <jansson.h>

/* An ImageIdentity of io.migprep.Storage without its path, of the image at @path within the image
 * directory @root. New reference. Blocks on the file system. */
json_t *identity_deed(const char *root, const char *path);
