/** `serin version`: says which program this is; it contacts nothing. */
import packageJson from '../../package.json' with { type: 'json' };
import { API_GROUP, API_VERSION } from '../api/kinds.ts';
import { EXIT } from '../api/reasons.ts';
import { type DataFormat, formatted } from './output.ts';
import type { Surroundings } from './session.ts';

export const programVersion: string = packageJson.version;

export interface VersionOptions {
  readonly output?: DataFormat | undefined;
}

export async function version({ output }: VersionOptions, { terminal }: Surroundings): Promise<number> {
  const clientVersion = {
    version: programVersion,
    api: `${API_GROUP}/${API_VERSION}`,
    node: process.versions.node,
    platform: `${process.platform}/${process.arch}`,
  };
  terminal.print(
    output === undefined
      ? `serin ${clientVersion.version} (${clientVersion.api}, Node.js ${clientVersion.node}, ${clientVersion.platform})`
      : formatted({ clientVersion }, output),
  );
  return EXIT.done;
}
