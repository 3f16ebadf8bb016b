/** What the API server fills into a pod's spec, in a pod and in every template alike; two templates are compared with it. */
import { type Fields, fieldsAt, isFields, listAt, textAt, withoutEmpty } from '../server/objects.ts';

/** A pod template: its labels as they are, its spec filled in. */
export function defaultedTemplate(template: Fields): Fields {
  const metadata = withoutEmpty(fieldsAt(template, 'metadata'), ['labels', 'annotations', 'name', 'namespace']);
  return { ...template, metadata, spec: defaultedPodSpec(fieldsAt(template, 'spec')) };
}

export function defaultedPodSpec(spec: Fields): Fields {
  const initContainers = listAt(spec, 'initContainers');
  const { serviceAccountName, serviceAccount } = spec;
  const account = serviceAccountName ?? serviceAccount;
  return {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    ...withoutEmpty(spec, ['hostNetwork', 'hostPID', 'hostIPC', 'nodeSelector', 'volumes', 'tolerations']),
    containers: listAt(spec, 'containers').map(defaultedContainer),
    ...(initContainers.length === 0 ? {} : { initContainers: initContainers.map(defaultedContainer) }),
    ...(typeof account === 'string' ? { serviceAccountName: account, serviceAccount: account } : {}),
  };
}

function defaultedContainer(container: unknown): Fields {
  if (!isFields(container)) return {};
  const ports = listAt(container, 'ports');
  return {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicyOf(textAt(container, 'image') ?? ''),
    ...withoutEmpty(container, ['env', 'ports', 'args', 'command', 'volumeMounts']),
    ...(ports.length === 0 ? {} : { ports: ports.map((port) => ({ protocol: 'TCP', ...(port as Fields) })) }),
    ...probesOf(container),
  };
}

/** An image without a tag, or with `latest`, may be another one tomorrow. */
function pullPolicyOf(image: string): string {
  const tag = /:([^:/@]+)$/.exec(image)?.[1];
  return image.includes('@') || (tag !== undefined && tag !== 'latest') ? 'IfNotPresent' : 'Always';
}

function probesOf(container: Fields): Fields {
  const names = ['readinessProbe', 'livenessProbe', 'startupProbe'].filter((name) => isFields(container[name]));
  return Object.fromEntries(names.map((name) => [name, defaultedProbe(fieldsAt(container, name))]));
}

function defaultedProbe(probe: Fields): Fields {
  const { httpGet } = probe;
  return {
    failureThreshold: 3,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 1,
    ...withoutEmpty(probe, ['initialDelaySeconds']),
    ...(isFields(httpGet) ? { httpGet: { path: '/', scheme: 'HTTP', ...httpGet } } : {}),
  };
}
