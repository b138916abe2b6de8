# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion of migprep: the command itself knows what fits.
function __migprep_candidates
    set -l words (commandline -opc) (commandline -ct)
    migprep complete -- $words[2..-1] 2>/dev/null
    switch $words[-2]
        case --to --from --host
            __fish_print_hostnames
    end
end
complete -c migprep -f -a '(__migprep_candidates)'
for name in config output persistent-xml socket ssh network-socket storage-socket textfile xml
    complete -c migprep -l $name -r -F
end
