/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the translation of a MigrationRequest into libvirt's flags and parameters. */
#include "common/libvirt_request.h"

void
libvirt_parameters_clear(LibvirtParameters *parameters)
{
    virTypedParamsFree(parameters->list, parameters->count);
}

static gboolean
add_string(LibvirtParameters *parameters, const char *name, const char *value)
{
    return !value || virTypedParamsAddString(&parameters->list, &parameters->count,
                                             &parameters->capacity, name, value) == 0;
}

static gboolean
add_disks(LibvirtParameters *parameters, const char *const *disks)
{
    for (gsize i = 0; disks && disks[i]; i++) {
        if (!add_string(parameters, VIR_MIGRATE_PARAM_MIGRATE_DISKS, disks[i]))
            return FALSE;
    }
    return TRUE;
}

static gboolean
add_numbers(LibvirtParameters *parameters, const MigrationRequest *request)
{
    return (!request->bandwidth_mebibytes ||
            virTypedParamsAddULLong(&parameters->list, &parameters->count, &parameters->capacity,
                                    VIR_MIGRATE_PARAM_BANDWIDTH,
                                    request->bandwidth_mebibytes) == 0) &&
           (!request->parallel_connections ||
            virTypedParamsAddInt(&parameters->list, &parameters->count, &parameters->capacity,
                                 VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS,
                                 (int)request->parallel_connections) == 0);
}

gboolean
libvirt_request_parameters(const MigrationRequest *request, LibvirtParameters *parameters)
{
    return add_disks(parameters, request->copy_disks) && add_numbers(parameters, request) &&
           add_string(parameters, VIR_MIGRATE_PARAM_COMPRESSION, request->compression) &&
           add_string(parameters, VIR_MIGRATE_PARAM_DEST_XML, request->destination_xml) &&
           add_string(parameters, VIR_MIGRATE_PARAM_PERSIST_XML, request->persistent_xml);
}

static unsigned
mode_flags(MigrationMode mode)
{
    switch (mode) {
    case MIGRATION_LIVE:
        return VIR_MIGRATE_LIVE;
    case MIGRATION_SUSPENDED:
        return 0;
    case MIGRATION_OFFLINE:
        return VIR_MIGRATE_OFFLINE;
    }
    g_return_val_if_reached(0);
}

static unsigned
storage_flags(const MigrationRequest *request)
{
    if (!request->copy_disks || !request->copy_disks[0])
        return 0;
    return request->incremental ? VIR_MIGRATE_NON_SHARED_INC : VIR_MIGRATE_NON_SHARED_DISK;
}

unsigned
libvirt_request_flags(const MigrationRequest *request)
{
    const struct {
        gboolean wanted;
        unsigned flag;
    } choices[] = {
        { request->persist, VIR_MIGRATE_PERSIST_DEST },
        { request->undefine_source, VIR_MIGRATE_UNDEFINE_SOURCE },
        { request->auto_converge, VIR_MIGRATE_AUTO_CONVERGE },
        { request->parallel_connections > 0, VIR_MIGRATE_PARALLEL },
        { request->compression != NULL, VIR_MIGRATE_COMPRESSED },
        { request->post_copy, VIR_MIGRATE_POSTCOPY },
        { request->tls, VIR_MIGRATE_TLS },
        { request->tunnelled, VIR_MIGRATE_TUNNELLED },
        { request->unsafe, VIR_MIGRATE_UNSAFE },
    };
    unsigned flags = VIR_MIGRATE_PEER2PEER | mode_flags(request->mode) | storage_flags(request);

    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++)
        flags |= choices[i].wanted ? choices[i].flag : 0U;
    return flags;
}
