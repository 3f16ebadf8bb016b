/** Builds the project's image by its Dockerfile and runs it, on an engine that is given. It judges nothing. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { repository } from '../e2e/harness/ground.ts';
import { npmRegistry, writeBase, writeBuilder } from './local-images.ts';

export interface Images {
  /** Name of the project's image. */
  readonly name: string;
  /** Takes away what was built. */
  remove(): Promise<void>;
}

/** Base and builder from local files, then the Dockerfile. Throws when the engine was left without an image. */
export async function buildImages(suffix: string): Promise<Images> {
  const client = await getContainerRuntimeClient();
  const names = {
    base: `serin.test/base:${suffix}`,
    builder: `serin.test/builder:${suffix}`,
    name: `serin.test/serin:${suffix}`,
  };
  const work = mkdtempSync(join(tmpdir(), 'serin-dockerfile-'));
  try {
    for (const [kind, write] of [
      ['base', writeBase],
      ['builder', writeBuilder],
    ] as const) {
      const folder = join(work, kind);
      mkdirSync(folder);
      await write(folder);
      await build(client, folder, names[kind], {});
    }
    const registry = await npmRegistry();
    await build(client, repository, names.name, {
      BASE: names.base,
      BUILDER: names.builder,
      NPM_CONFIG_REGISTRY: registry,
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return {
    name: names.name,
    remove: async () => {
      for (const name of [names.name, names.builder, names.base])
        await client.container.dockerode.getImage(name).remove({ force: true });
    },
  };
}

/** On the host's network: the registry of packages is asked from where it can be reached. The library keeps silent about failures. */
async function build(
  { image }: ContainerRuntimeClient,
  folder: string,
  name: string,
  buildargs: Record<string, string>,
): Promise<void> {
  await image.build(folder, { t: name, dockerfile: 'Dockerfile', buildargs, networkmode: 'host', forcerm: true });
  if (await image.exists(ImageName.fromString(name))) return;
  throw new Error(`${folder}/Dockerfile could not be built as ${name}; DEBUG=testcontainers:build shows why`);
}

/** As deploy/ runs it: nothing of its root can be written, and no capability is left. On the host's network. */
class Restricted extends GenericContainer {
  constructor(image: string) {
    super(image);
    this.hostConfig.ReadonlyRootfs = true;
    this.hostConfig.CapDrop = ['ALL'];
    this.hostConfig.SecurityOpt = ['no-new-privileges'];
    this.withNetworkMode('host');
  }
}

export interface Run {
  readonly command: readonly string[];
  /** Files of this machine, by where they are seen inside. */
  readonly files?: Readonly<Record<string, string>>;
  /** The container counts as started when this is in its log. */
  readonly says: RegExp;
}

export function start(image: string, { command, files = {}, says }: Run): Promise<StartedTestContainer> {
  return new Restricted(image)
    .withCommand([...command])
    .withBindMounts(Object.entries(files).map(([target, source]) => ({ source, target, mode: 'ro' })))
    .withWaitStrategy(Wait.forLogMessage(says))
    .withStartupTimeout(60_000)
    .start();
}

/** What the engine knows of a container, running or ended. */
export async function inspect(id: string) {
  const { container } = await getContainerRuntimeClient();
  return container.inspect(container.getById(id));
}

export async function logOf(id: string): Promise<string> {
  const { container } = await getContainerRuntimeClient();
  const text = await container.getById(id).logs({ stdout: true, stderr: true });
  return text.toString('utf8');
}

export async function remove(id: string): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  await container.getById(id).remove({ force: true });
}
