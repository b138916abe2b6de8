/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives pages back to the kernel. */
#include "common/resident.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Threads in more heaps than this only gain where they allocate all the time. */
#define HEAPS_MAX 2
/* What is freed above this goes back to the kernel at once instead of with the next trim. */
#define TRIM_BYTES (128 * 1024)

void
resident_bound_heaps(void)
{
    mallopt(M_ARENA_MAX, HEAPS_MAX);
    mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
    mallopt(M_MMAP_THRESHOLD, TRIM_BYTES);
}

void
resident_trim(void)
{
    malloc_trim(0);
}

/* A library that relocates its code has changed pages in segments that are not writable now. */
static int
has_text_relocations(const struct dl_phdr_info *object)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];

        if (header->p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *entry = (const void *)(object->dlpi_addr + header->p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_TEXTREL ||
                (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
                return 1;
        }
    }
    return 0;
}

/* Segments that were never writable are as they are in the file, so nothing is lost. */
static int
give_back(struct dl_phdr_info *object, size_t size, void *unused)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    if (!object->dlpi_name || object->dlpi_name[0] != '/' || has_text_relocations(object))
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        uintptr_t start = (object->dlpi_addr + header->p_vaddr) & ~(page - 1);
        uintptr_t end = object->dlpi_addr + header->p_vaddr + header->p_filesz;

        if (header->p_type == PT_LOAD && !(header->p_flags & PF_W) && end > start)
            (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void
resident_give_back_start(void)
{
    resident_trim();
    dl_iterate_phdr(give_back, NULL);
}
