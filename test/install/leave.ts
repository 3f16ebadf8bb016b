/** Runs `serin uninstall` as a user types it, and keeps what it said. */
import { openSession } from '../../src/cli/open-session.ts';
import { run } from '../../src/cli/program.ts';
import { programVersion } from '../../src/cli/version.ts';
import { systemClock } from '../../src/kube/clock.ts';
import type { Site } from './site.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param words options, besides those that name the cluster and say yes. */
export async function uninstallFrom(site: Site, words: readonly string[]): Promise<Said> {
  const said = { out: '', err: '' };
  const code = await run(['uninstall', '--yes', '--kubeconfig', site.cluster.kubeconfig, ...words], {
    terminal: {
      isInteractive: false,
      columns: 120,
      hasColour: false,
      print: (text) => void (said.out += `${text}\n`),
      complain: (text) => void (said.err += `${text}\n`),
      draw: (text) => void (said.out += text),
    },
    clock: systemClock,
    random: Math.random,
    programName: 'serin',
    open: async (options) => openSession(options, systemClock, programVersion),
    readText: () => Promise.reject(new Error('no files here')),
  });
  console.log(`uninstall ${words.join(' ')}: exit code ${code}\n${said.out}${said.err}`);
  return { code, ...said };
}
