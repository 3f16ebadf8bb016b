/**
 * Owns the shell scripts of completion that are ours. All of them, and those of @bomb.sh/tab, ask the program in one way,
 * `serin complete -- WORDS`, and get one candidate a line, then `:4`, or `:0` where file names are wanted.
 */

export const shells = ['bash', 'zsh', 'fish', 'powershell', 'kubectl'] as const;
export type Shell = (typeof shells)[number];

/**
 * It needs nothing but bash 3.2. Bash splits words at "=" and ":", so they are put together again; what was typed is quoted
 * before it is passed on, so that no part of it runs because somebody pressed TAB. `eval`: the name may be an alias.
 */
export const bashScript = `# bash completion of serin, made by "serin completion bash"
__serin_complete() {
  local words=() word glued= line out directive= i
  COMPREPLY=()
  case $1 in *[!A-Za-z0-9_./~-]*) return ;; esac
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      = | :) line=1 ;;
      *) line= ;;
    esac
    if [ \${#words[@]} -gt 0 ] && { [ -n "$line" ] || [ -n "$glued" ]; }; then
      words[\${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    glued=$line
  done
  out=$(eval "$1 complete --$(printf ' %q' "\${words[@]}")" 2>/dev/null) || return
  while IFS= read -r line; do
    case $line in
      :[0-9]*) directive=\${line#:} ;;
      ?*) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done <<<"$out"
  if [ "$directive" = 0 ] && [ \${#COMPREPLY[@]} -eq 0 ]; then
    compopt -o filenames 2>/dev/null || :
    word=$2
    case $word in = | :) word= ;; esac
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word")
  fi
}
complete -F __serin_complete serin kubectl-serin
`;

/** kubectl runs a program of this name to complete its plugin; it speaks the same way. */
export const kubectlScript = `#!/bin/sh
# Completes "kubectl serin"; made by "serin completion kubectl". Save it as kubectl_complete-serin, executable, in PATH.
exec kubectl-serin complete -- "$@"
`;
