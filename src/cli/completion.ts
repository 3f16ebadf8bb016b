/** `serin completion`: prints the script that a shell loads once; what is completed is decided in complete.ts at every TAB. */
import { script } from '@bomb.sh/tab';
import { EXIT } from '../api/reasons.ts';
import { bashScript, kubectlScript, type Shell } from './completion-scripts.ts';
import type { Surroundings } from './session.ts';

/**
 * The library's own script for bash needs the package bash-completion, cannot be loaded twice in one shell, and never
 * completes file names or "--option=value"; so that one is ours.
 */
export async function completion(shell: Shell, { terminal }: Pick<Surroundings, 'terminal'>): Promise<number> {
  if (shell === 'bash') terminal.draw(bashScript);
  else if (shell === 'kubectl') terminal.draw(kubectlScript);
  else script(shell, 'serin', 'serin');
  return EXIT.done;
}
