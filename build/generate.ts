/**
 * Writes the files that follow from the sources: crds/*.yaml and docs/reference from src/api, deploy/install.yaml from deploy/.
 * With --check it changes nothing and fails when a file is not what the sources say.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { customResourceDefinition, kindDeclarations } from '../src/api/crd.ts';
import { installFiles } from './install-manifest.ts';
import { referencePages } from './reference.ts';

export interface GeneratedFile {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly content: string;
}

/** Every generated file as the sources say it should be. */
export function generatedFiles(): GeneratedFile[] {
  const definitions = kindDeclarations.map((kind) => ({
    path: `crds/${kind.resource.plural}.yaml`,
    content: `# Generated from src/api by "npm run generate". Do not edit.\n${stringify(
      customResourceDefinition(kind),
      {
        lineWidth: 0,
        aliasDuplicateObjects: false,
      },
    )}`,
  }));
  return [...definitions, ...installFiles(new URL('../', import.meta.url), definitions), ...referencePages()];
}

/** Paths of the generated files that are missing or differ from the sources. */
export async function outOfSync(root: URL): Promise<string[]> {
  const stale: string[] = [];
  for (const file of generatedFiles()) {
    const onDisk = await readFile(new URL(file.path, root), 'utf8').catch(() => undefined);
    if (onDisk !== file.content) stale.push(file.path);
  }
  return stale;
}

async function main(root: URL, checkOnly: boolean): Promise<number> {
  if (!checkOnly) {
    for (const file of generatedFiles()) await writeFile(new URL(file.path, root), file.content);
    return 0;
  }
  const stale = await outOfSync(root);
  for (const path of stale) process.stderr.write(`${path} is not what its sources say: run "npm run generate".\n`);
  return stale.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(new URL('../', import.meta.url), process.argv.includes('--check'));
}
