# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion of migprep: the command itself knows what fits; names of files where it knows nothing.
_migprep() {
    local IFS=$'\n'
    COMPREPLY=($(migprep complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
    # Other hosts than those of the configuration are known to ssh.
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    --to | --from | --host)
        if declare -F _known_hosts_real >/dev/null; then
            local known=("${COMPREPLY[@]}")
            _known_hosts_real -- "${COMP_WORDS[COMP_CWORD]}"
            COMPREPLY=("${known[@]}" "${COMPREPLY[@]}")
        fi
        ;;
    esac
}
complete -o default -F _migprep migprep
