/** Which programs the cluster is made of, how each is built, and where its built file lies in the cache. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Layout, layout } from './addresses.ts';
import { cacheDirectory } from './state.ts';

export type BinaryName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kubectl'
  | 'kube-scheduler'
  | 'kubelet'
  | 'workload'
  | 'pause'
  | 'prometheus'
  | 'traefik';

export interface Binary {
  name: BinaryName;
  /** Folder of the Go module, seen from this one. */
  module: string;
  /** Go package to build. */
  package: string;
  buildArguments: string[];
}

const kubernetesVersion = { git: 'v1.36.3', major: '1', minor: '36' };

/** Kubernetes programs must know their version: clients refuse a server whose version is no semantic version. */
function versionFlags(): string {
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  return packages
    .flatMap((name) => [
      `-X ${name}.gitVersion=${kubernetesVersion.git}`,
      `-X ${name}.gitMajor=${kubernetesVersion.major}`,
      `-X ${name}.gitMinor=${kubernetesVersion.minor}`,
    ])
    .join(' ');
}

function kubernetes(name: BinaryName): Binary {
  const buildArguments = ['-ldflags', `-s -w ${versionFlags()}`];
  return { name, module: 'modules/kubernetes', package: `k8s.io/kubernetes/cmd/${name}`, buildArguments };
}

const small = ['-ldflags', '-s -w'];

/** In the order they are built: what others wait for comes first. */
export const binaries: readonly Binary[] = [
  { name: 'etcd', module: 'modules/etcd', package: 'go.etcd.io/etcd/server/v3', buildArguments: small },
  kubernetes('kube-apiserver'),
  kubernetes('kube-controller-manager'),
  kubernetes('kubectl'),
  kubernetes('kube-scheduler'),
  kubernetes('kubelet'),
  { name: 'workload', module: 'workload', package: './server', buildArguments: small },
  { name: 'pause', module: 'workload', package: './pause', buildArguments: small },
  {
    name: 'prometheus',
    module: 'modules/prometheus',
    package: 'github.com/prometheus/prometheus/cmd/prometheus',
    buildArguments: ['-tags', 'remove_all_sd,enable_kubernetes_sd', ...small],
  },
  {
    name: 'traefik',
    module: 'modules/traefik',
    package: 'github.com/traefik/traefik/v3/cmd/traefik',
    buildArguments: small,
  },
];

export function moduleDirectory(binary: Binary): string {
  return join(import.meta.dirname, binary.module);
}

/** Every file that decides what is built: module files, and Go sources where the module is our own. */
function sourcesOf(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /(\.go|go\.mod|go\.sum)$/.test(name)).toSorted();
}

/** The cache directory of a module: its name carries a hash of the sources and of how they are built. */
export function builtDirectory(binary: Binary): string {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const sibling of binaries.filter(({ module }) => module === binary.module)) hash.update(JSON.stringify(sibling));
  for (const file of sourcesOf(moduleDirectory(binary))) {
    hash.update(file).update(readFileSync(join(moduleDirectory(binary), file)));
  }
  const name = binary.module.slice(binary.module.lastIndexOf('/') + 1);
  return join(cacheDirectory(), 'binaries', `${name}-${hash.digest('hex').slice(0, 12)}`);
}

export function binaryNamed(name: BinaryName): Binary {
  const found = binaries.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no binary is called ${name}`);
  return found;
}

/** What each kind of cluster consists of. */
export const programsOf: Readonly<Record<Layout, readonly BinaryName[]>> = {
  node: binaries.map(({ name }) => name),
  'control-plane': ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'],
  docker: [],
};

/**
 * Path of a program; whether it is there says `isBuilt`. A control plane alone takes its programs from KUBEBUILDER_ASSETS
 * where that is set: all of them, because they must be of one version.
 */
export function binaryPath(name: BinaryName, of: Layout = layout): string {
  const assets = of === 'control-plane' ? process.env['KUBEBUILDER_ASSETS'] : undefined;
  return join(assets || builtDirectory(binaryNamed(name)), name);
}

export function isBuilt(name: BinaryName, of: Layout = layout): boolean {
  return existsSync(binaryPath(name, of));
}

export function missingBinaries(of: Layout = layout): BinaryName[] {
  return programsOf[of].filter((name) => !isBuilt(name, of));
}

/** Custom resource definitions of the Gateway API and of Traefik, copied out of the modules by the build. */
export function definitionsDirectory(): string {
  return join(builtDirectory(binaryNamed('traefik')), 'definitions');
}
