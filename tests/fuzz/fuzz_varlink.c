/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a local client sends: cut out of the stream, decoded, and checked against the descriptions
 * of both daemons, before any handler sees it. */
#include <string.h>

#include "common/limits.h"
#include "common/varlink_idl.h"
#include "common/varlink_message.h"
#include "fuzz.h"
#include "netprep/io.migprep.Network.varlink.h"
#include "storprep/io.migprep.Storage.varlink.h"

static VarlinkInterface *
find_interface(VarlinkInterface *const *interfaces, const char *name)
{
    for (; *interfaces; interfaces++) {
        if (strcmp(varlink_interface_name(*interfaces), name) == 0)
            return *interfaces;
    }
    return NULL;
}

static void
check(VarlinkInterface *const *interfaces, const VarlinkRequest *request)
{
    const VarlinkInterface *iface = find_interface(interfaces, request->interface);
    g_autoptr(GError) error = NULL;

    if (!iface || !g_strv_contains(varlink_interface_methods(iface), request->method))
        return;
    gboolean fits =
        varlink_interface_check(iface, request->method, VARLINK_INPUT, request->parameters, &error);
    FUZZ_ASSERT(fits == !error);
}

/* How many requests come out of @data when it arrives in pieces of @piece bytes. */
static unsigned
serve(VarlinkInterface *const *interfaces, const uint8_t *data, size_t size, size_t piece)
{
    VarlinkReader reader = { 0 };
    unsigned count = 0;

    for (size_t at = 0; at < size && !varlink_reader_overflown(&reader); at += piece) {
        char *text;
        gsize length;

        varlink_reader_append(&reader, data + at, MIN(piece, size - at));
        while (!varlink_reader_overflown(&reader) &&
               (text = varlink_reader_take(&reader, &length))) {
            g_auto(VarlinkRequest) request = { 0 };

            FUZZ_ASSERT(length <= LIMIT_MESSAGE_BYTES);
            if (varlink_request_decode(text, length, &request)) {
                FUZZ_ASSERT(json_is_object(request.parameters) &&
                            !(request.more && request.oneway));
                check(interfaces, &request);
                count++;
            }
            g_free(text);
        }
    }
    varlink_reader_clear(&reader);
    return count;
}

/* A description of a peer's is parsed, too, by tests and tools. */
static void
describe(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(text, &error);

    FUZZ_ASSERT(!iface == !!error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(VarlinkInterface) network = varlink_interface_parse(io_migprep_network, NULL);
    g_autoptr(VarlinkInterface) storage = varlink_interface_parse(io_migprep_storage, NULL);
    VarlinkInterface *const interfaces[] = { network, storage, NULL };

    FUZZ_ASSERT(serve(interfaces, data, size, 7) == serve(interfaces, data, size, 65536));
    describe(data, size);
    return 0;
}
