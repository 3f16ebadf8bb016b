/**
 * Objects of Serin's kinds: the least that is valid, and everything that must be refused, one change away from it. Both the CRDs
 * on the real API server and zod alone are held against these tables.
 */
export type Json = string | number | boolean | { readonly [key: string]: Json } | readonly Json[];

const hash = '7f9c4d8b2x';
const waits = { whenUnsure: { afterMs: 1, do: 'hold' }, onSourceDown: { afterMs: 1, do: 'hold' } };
/** The least that each kind accepts; every refusal below is one change away from it. */
export const valid: Record<string, Json> = {
  Rollout: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    traffic: { service: 'shop', routes: [{ kind: 'HTTPRoute', name: 'shop' }] },
  },
  RolloutAction: { rollout: 'shop', action: 'pause', by: 'admin' },
  MetricSource: { prometheus: { address: 'http://prometheus.monitoring:9090' } },
  FlagSource: { featureFlag: {} },
  ReleaseRecord: {
    rollout: 'shop',
    rolloutUid: 'a',
    deployment: 'shop',
    deploymentUid: 'b',
    revision: hash,
    attempt: 1,
    traffic: { service: 'shop', routes: [], alsoReachable: [], drainMs: 1 },
    strategy: { steps: [], bakeMs: 1, podsReadyWithinMs: 1, allowTwoVersions: false },
    analysis: { confidencePercent: 99, errors: { tolerate: '10%', ruleOut: '2x' }, ...waits },
  },
};

/** What each kind insists on. A field that stops being required is missing here or refused no more: either fails. */
export const required: Record<string, readonly string[]> = {
  Rollout: [
    'spec',
    'spec.targetRef',
    'spec.targetRef.apiVersion',
    'spec.targetRef.kind',
    'spec.targetRef.name',
    'spec.traffic.routes[0].kind',
    'spec.traffic.routes[0].name',
    'spec.strategy.steps[0].check.requests',
    'spec.strategy.steps[0].check.requests[0].path',
    'spec.strategy.steps[0].check.requests[0].headers[0].name',
    'spec.strategy.steps[0].check.requests[0].headers[0].value',
    'spec.strategy.steps[0].flag.source',
    'spec.strategy.steps[0].flag.name',
    'spec.strategy.steps[0].flag.variant',
    'spec.analysis.metrics[0].query.name',
    'spec.analysis.metrics[0].price.name',
    'spec.analysis.metrics[0].price.counter',
    'spec.analysis.metrics[0].price.unitPrice',
    'spec.analysis.alerts[0].matching',
    'spec.onAnomaly[0].flag.source',
    'spec.onAnomaly[0].flag.name',
    'spec.onAnomaly[0].flag.variant',
  ],
  RolloutAction: ['spec', 'spec.rollout', 'spec.action', 'spec.by'],
  MetricSource: [
    'spec',
    'spec.prometheus',
    'spec.prometheus.address',
    'spec.prometheus.auth.secretRef',
    'spec.prometheus.auth.secretRef.namespace',
    'spec.prometheus.auth.secretRef.name',
    'spec.prometheus.headers[0].name',
    'spec.prometheus.headers[0].value',
    'spec.namespaces.matchExpressions[0].key',
    'spec.namespaces.matchExpressions[0].operator',
    'spec.confine.namespaceLabel',
    'spec.scrape.interval',
  ],
  FlagSource: [
    'spec',
    'spec.flagdFile.configMap',
    'spec.flagdFile.key',
    ...['unleash', 'flipt'].map((backend) => `spec.${backend}.address`),
    'spec.unleash.environment',
    'spec.unleash.auth',
    'spec.unleash.clientAuth',
    ...['unleash.auth', 'unleash.clientAuth', 'flipt.auth', 'http.auth'].flatMap((auth) => [
      `spec.${auth}.secretRef`,
      `spec.${auth}.secretRef.namespace`,
      `spec.${auth}.secretRef.name`,
    ]),
    'spec.http.write',
    ...['write', 'restore'].flatMap((call) => [
      `spec.http.${call}.method`,
      `spec.http.${call}.url`,
      `spec.http.${call}.headers[0].name`,
      `spec.http.${call}.headers[0].value`,
    ]),
    'spec.http.readBack',
    'spec.http.readBack.url',
    'spec.http.readBack.value',
    'spec.http.readBack.headers[0].name',
    'spec.http.readBack.headers[0].value',
    'spec.http.variants[0].name',
    'spec.namespaces.matchExpressions[0].key',
    'spec.namespaces.matchExpressions[0].operator',
  ],
  ReleaseRecord: [
    'spec',
    'spec.rollout',
    'spec.rolloutUid',
    'spec.deployment',
    'spec.deploymentUid',
    'spec.revision',
    'spec.attempt',
    'spec.traffic',
    'spec.traffic.routes',
    'spec.traffic.routes[0].kind',
    'spec.traffic.routes[0].name',
    'spec.traffic.alsoReachable',
    'spec.traffic.drainMs',
    'spec.strategy',
    'spec.strategy.steps',
    'spec.strategy.steps[0].weightPercent',
    'spec.strategy.steps[0].atLeastMs',
    'spec.strategy.steps[0].check.requests',
    'spec.strategy.steps[0].check.requests[0].method',
    'spec.strategy.steps[0].check.requests[0].path',
    'spec.strategy.steps[0].check.requests[0].headers',
    'spec.strategy.steps[0].check.requests[0].headers[0].name',
    'spec.strategy.steps[0].check.requests[0].headers[0].value',
    'spec.strategy.steps[0].check.requests[0].withinMs',
    'spec.strategy.steps[0].check.withinMs',
    'spec.strategy.steps[0].flag.source',
    'spec.strategy.steps[0].flag.name',
    'spec.strategy.steps[0].flag.variant',
    'spec.strategy.bakeMs',
    'spec.strategy.podsReadyWithinMs',
    'spec.strategy.allowTwoVersions',
    'spec.analysis',
    'spec.analysis.confidencePercent',
    'spec.analysis.metrics[0].kind',
    'spec.analysis.errors.tolerate',
    'spec.analysis.errors.ruleOut',
    'spec.analysis.whenUnsure',
    'spec.analysis.whenUnsure.afterMs',
    'spec.analysis.whenUnsure.do',
    'spec.analysis.onSourceDown',
    'spec.analysis.onSourceDown.afterMs',
    'spec.analysis.onSourceDown.do',
    'spec.analysis.alerts[0].matching',
    'spec.analysis.alerts[0].do',
    'spec.analysis.alerts[0].alsoIfBefore',
    'spec.onAnomaly[0].kind',
  ],
};

const flagServer: Json = { address: 'https://flags.example.com' };
const flagSecret: Json = { secretRef: { namespace: 'serin-system', name: 'flags' } };
const flagWrite = { method: 'PATCH', url: 'https://flags.example.com/$(flag)?by=$(changeId)', body: '{"on":$(value)}' };
const flagRead = { url: 'https://flags.example.com/$(flag)', value: '/on' };

/** A FlagSource of the http backend, with other fields. */
function flagHttp(fields: Readonly<Record<string, Json>>): Json {
  return { http: { write: flagWrite, readBack: flagRead, ...fields } };
}

/** Parts of Rollouts that are right by themselves. */
const flag = { source: 'unleash', name: 'new-pricing', variant: 'off' };
const check: Json = { requests: [{ path: '/' }] };
const limit = { name: 'queue-age', value: 'max(queue_age_seconds)' };
const pair = { name: 'conversion', bad: 'checkout_failed_total', total: 'checkout_started_total' };
const full: Json = {
  path: '/cart?full=1',
  method: 'POST',
  headers: [{ name: 'X-Tenant', value: 'a b' }],
  expect: { status: 302, body: '"items"', within: '500ms' },
};

/** `by` is the one required field that the API server fills in itself (a policy stamps it). */
export const stamped = 'spec.by';

/** Wrong values: kind, path, value, what the API server has to say. */
export const wrong: readonly (readonly [string, string, Json | undefined, RegExp])[] = [
  ['Rollout', 'spec.targetRef.kind', 'StatefulSet', /Unsupported value: "StatefulSet".*"Deployment"/],
  ['Rollout', 'spec.targetRef.apiVersion', 'apps/v2', /Unsupported value: "apps\/v2".*"apps\/v1"/],
  ['Rollout', 'spec.targetRef.name', 'Shop', /should match/],
  ['Rollout', 'spec.targetRef.name', '', /at least 1 char/],
  ['Rollout', 'spec.targetRef.name', 'x'.repeat(254), /may not be more than 253/],
  ['Rollout', 'spec.traffic.service', 'shop.example', /should match/],
  ['Rollout', 'spec.traffic.service', 'x'.repeat(64), /may not be more than 63/],
  ['Rollout', 'spec.traffic.routes', [], /should have at least 1 items/],
  ['Rollout', 'spec.traffic.routes', routes(9), /must have at most 8 items/],
  ['Rollout', 'spec.traffic.routes', [...routes(1), ...routes(1)], /Duplicate value/],
  ['Rollout', 'spec.traffic.routes[0].kind', 'Ingress', /Unsupported value: "Ingress".*"HTTPRoute"/],
  [
    'Rollout',
    'spec.traffic.service',
    undefined,
    /routes need traffic\.service, the Service that they send requests to/,
  ],
  ['Rollout', 'spec.traffic.alsoReachable', ['a', 'a'], /Duplicate value/],
  ['Rollout', 'spec.traffic.alsoReachable', names(9), /must have at most 8 items/],
  [
    'Rollout',
    'spec.traffic.alsoReachable',
    ['shop'],
    /alsoReachable names the Service of traffic\.service itself: remove it there/,
  ],
  ['Rollout', 'spec.traffic.settle', '5', /should match/],
  ['Rollout', 'spec.traffic.drain', '5 minutes', /should match/],
  ['Rollout', 'spec.traffic.drain', '', /should match/],
  ['Rollout', 'spec.strategy.steps', [], /should have at least 1 items/],
  [
    'Rollout',
    'spec.strategy.steps',
    weights(...Array.from({ length: 21 }, (_, i) => i + 1)),
    /must have at most 20 items/,
  ],
  [
    'Rollout',
    'spec.strategy.steps',
    weights(0),
    /a weight is a percentage of the requests: at least 0\.01, at most 100/,
  ],
  [
    'Rollout',
    'spec.strategy.steps',
    weights(100.01),
    /a weight is a percentage of the requests: at least 0\.01, at most 100/,
  ],
  ['Rollout', 'spec.strategy.steps', weights(0.125), /a weight has at most two decimals/],
  ['Rollout', 'spec.strategy.steps', weights(99.999), /a weight has at most two decimals/],
  ['Rollout', 'spec.strategy.steps', weights(25, 5), /each step needs a higher weight than the step before it/],
  ['Rollout', 'spec.strategy.steps', weights(5, 5), /each step needs a higher weight than the step before it/],
  ['Rollout', 'spec.strategy.steps', [{ weight: 5, atLeast: '1d' }], /should match/],
  ['Rollout', 'spec.strategy.bake', '1.5h', /should match/],
  ['Rollout', 'spec.strategy.podsReadyWithin', 'soon', /should match/],
  ['Rollout', 'spec.strategy.allowTwoVersions', 'yes', /must be of type boolean/],
  ['Rollout', 'spec.analysis.source', 'Prometheus!', /should match/],
  ['Rollout', 'spec.analysis.confidence', 89.9, /confidence lies between 90 and 99\.999 percent/],
  ['Rollout', 'spec.analysis.confidence', 99.9999, /confidence lies between 90 and 99\.999 percent/],
  ['Rollout', 'spec.analysis.metrics', [], /should have at least 1 items/],
  ['Rollout', 'spec.analysis.metrics', queries(9), /must have at most 8 items/],
  ['Rollout', 'spec.analysis.metrics', [{ errors: {} }, { errors: {} }], /stand at most once in metrics/],
  [
    'Rollout',
    'spec.analysis.metrics',
    [{ latency: {} }, { errors: {} }, { latency: {} }],
    /stand at most once in metrics/,
  ],
  ['Rollout', 'spec.analysis.metrics', [{}], /each entry of metrics is one of errors, latency/],
  [
    'Rollout',
    'spec.analysis.metrics',
    [{ errors: {}, latency: {} }],
    /each entry of metrics is one of errors, latency/,
  ],
  [
    'Rollout',
    'spec.analysis.metrics',
    [...queries(1), ...queries(1)],
    /each query and each price has a name of its own/,
  ],
  [
    'Rollout',
    'spec.analysis.metrics',
    [{ query: { ...limit, max: 1 } }],
    /a value with a limit, cost and a price do not say whether the new version is worse/,
  ],
  ['Rollout', 'spec.analysis.metrics', query({ name: 'a', bad: 'b' }), /either bad and total, two counters, or value/],
  ['Rollout', 'spec.analysis.metrics', query({ name: 'a' }), /either bad and total, two counters, or value/],
  [
    'Rollout',
    'spec.analysis.metrics',
    query({ name: 'a', bad: 'b', total: 't', value: 'v', max: 1 }),
    /either bad and total, two counters, or value/,
  ],
  ['Rollout', 'spec.analysis.metrics', query({ ...limit }), /a value has one limit: give max or min/],
  ['Rollout', 'spec.analysis.metrics', query({ ...limit, max: 2, min: 1 }), /a value has one limit: give max or min/],
  ['Rollout', 'spec.analysis.metrics', query({ ...pair, max: 2 }), /a value has one limit: give max or min/],
  [
    'Rollout',
    'spec.analysis.metrics',
    query({ ...limit, max: 2, tolerate: '10%' }),
    /tolerate and ruleOut compare two versions/,
  ],
  ['Rollout', 'spec.analysis.metrics', query({ ...pair, name: 'errors' }), /the names of other metrics/],
  ['Rollout', 'spec.analysis.metrics', query({ ...pair, name: 'Conversion' }), /should match/],
  ['Rollout', 'spec.analysis.metrics', query({ ...pair, bad: 'x'.repeat(2049) }), /may not be more than 2048/],
  ['Rollout', 'spec.analysis.metrics', [{ latency: { threshold: '300' } }], /should match/],
  ['Rollout', 'spec.analysis.metrics', [{ latency: { threshold: '0ms' } }], /should match/],
  ['Rollout', 'spec.analysis.metrics', [{ latency: { tolerate: '10% or 0.01pp' } }], /should match/],
  ['Rollout', 'spec.analysis.metrics', [{ latency: { tolerate: '0%' } }], /should match/],
  ['Rollout', 'spec.analysis.mode', 'watch', /Unsupported value: "watch".*"enforce", "observe"/],
  [
    'Rollout',
    'spec.analysis',
    { mode: 'observe', whenUnsure: { do: 'hold' } },
    /mode observe goes on by time: remove whenUnsure\.do/,
  ],
  [
    'Rollout',
    'spec.analysis',
    { mode: 'observe', onSourceDown: { do: 'rollback' } },
    /mode observe rolls nothing back: remove onSourceDown\.do/,
  ],
  ['Rollout', 'spec.strategy.steps', [{}], /a step is either a weight or a check or a flag/],
  ['Rollout', 'spec.strategy.steps', [{ weight: 5, check }], /a step is either a weight or a check or a flag/],
  ['Rollout', 'spec.strategy.steps', [{ check, atLeast: '1m' }], /atLeast belongs to a weight or a flag/],
  [
    'Rollout',
    'spec.strategy.steps',
    [{ weight: 5 }, { weight: 10, flag }],
    /a step is either a weight or a check or a flag/,
  ],
  ['Rollout', 'spec.strategy.steps', [{ flag }, { weight: 5 }], /a flag comes after a weight/],
  ['Rollout', 'spec.strategy.steps', [{ check }, { flag }, { weight: 5 }], /a flag comes after a weight/],
  [
    'Rollout',
    'spec.strategy.steps',
    [{ weight: 5 }, { flag }, { flag }, { flag }, { flag }, { flag }],
    /at most 4 steps change a flag/,
  ],
  ['Rollout', 'spec.strategy.steps', [{ weight: 5 }, { flag: { ...flag, percent: 0 } }], /greater than or equal to 1/],
  ['Rollout', 'spec.strategy.steps', [{ weight: 5 }, { flag: { ...flag, percent: 101 } }], /less than or equal to 100/],
  ['Rollout', 'spec.strategy.steps', [{ weight: 5 }, { flag: { ...flag, name: 'a/b' } }], /should match/],
  ['Rollout', 'spec.onAnomaly', [], /should have at least 1 items/],
  ['Rollout', 'spec.onAnomaly', [{}], /each rung is one of/],
  ['Rollout', 'spec.onAnomaly', [{ hold: {}, rollback: {} }], /each rung is one of/],
  ['Rollout', 'spec.onAnomaly', [{ observe: {} }], /the last rung is rollback or hold/],
  ['Rollout', 'spec.onAnomaly', [{ hold: {} }, { rollback: {} }], /nothing comes after rollback or hold/],
  ['Rollout', 'spec.onAnomaly', [{ observe: { for: '5s' } }, { rollback: {} }], /at least 10s and at most 30m/],
  ['Rollout', 'spec.onAnomaly', [{ observe: { for: '31m' } }, { rollback: {} }], /at least 10s and at most 30m/],
  [
    'Rollout',
    'spec.onAnomaly',
    [{ flag: { ...flag, observe: '1h' } }, { rollback: {} }],
    /at least 10s and at most 30m/,
  ],
  ['Rollout', 'spec.onAnomaly', [{ flag }, { flag }, { rollback: {} }], /each flag stands in one rung/],
  [
    'Rollout',
    'spec.onAnomaly',
    [...['a', 'b', 'c', 'd'].map((name) => ({ flag: { ...flag, name } })), { rollback: {} }],
    /at most 3 rungs change a flag/,
  ],
  ['Rollout', 'spec.strategy.steps', [{ weight: 25 }, { check }, { weight: 5 }], /each step needs a higher weight/],
  ['Rollout', 'spec.strategy.steps', checks({ requests: [] }), /should have at least 1 items/],
  [
    'Rollout',
    'spec.strategy.steps',
    checks({ requests: Array.from({ length: 11 }, () => ({ path: '/' })) }),
    /must have at most 10 items/,
  ],
  ['Rollout', 'spec.strategy.steps', checks({ ...check, port: 0 }), /greater than or equal to 1/],
  ['Rollout', 'spec.strategy.steps', checks({ ...check, port: 65_536 }), /less than or equal to 65535/],
  ['Rollout', 'spec.strategy.steps', checks({ ...check, within: 'soon' }), /should match/],
  ['Rollout', 'spec.strategy.steps', asking({ path: 'cart' }), /should match/],
  ['Rollout', 'spec.strategy.steps', asking({ path: 'http://elsewhere/' }), /should match/],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/a b' }), /should match/],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/a\r\nHost: elsewhere' }), /should match/],
  ['Rollout', 'spec.strategy.steps', asking({ path: `/${'x'.repeat(512)}` }), /may not be more than 512/],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/', method: 'PUT' }), /Unsupported value: "PUT"/],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/', headers: headers(6) }), /must have at most 5 items/],
  [
    'Rollout',
    'spec.strategy.steps',
    asking({ path: '/', headers: [{ name: 'Host', value: 'elsewhere' }] }),
    /this header belongs to the connection and not to the request/,
  ],
  [
    'Rollout',
    'spec.strategy.steps',
    asking({ path: '/', headers: [{ name: 'transfer-Encoding', value: 'chunked' }] }),
    /this header belongs to the connection and not to the request/,
  ],
  [
    'Rollout',
    'spec.strategy.steps',
    asking({ path: '/', headers: [{ name: 'a', value: 'b\r\nhost: c' }] }),
    /should match/,
  ],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/', expect: { status: 99 } }), /greater than or equal to 100/],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/', expect: { status: 600 } }), /less than or equal to 599/],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/', expect: { within: '11s' } }), /waited for 10s at most/],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/', expect: { within: '1m' } }), /should match/],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/', expect: { body: 'x'.repeat(257) } }), /more than 256/],
  [
    'Rollout',
    'spec.strategy.steps',
    asking({ path: '/', method: 'HEAD', expect: { body: 'x' } }),
    /an answer to HEAD has no body/,
  ],
  [
    'Rollout',
    'spec',
    { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }, strategy: { steps: [{ check }] } },
    /without traffic\.service a check does not know its port: add check\.port/,
  ],
  ['Rollout', 'spec.analysis.metrics', [{ errors: { tolerate: '10' } }], /should match/],
  ['Rollout', 'spec.analysis.metrics', [{ errors: { tolerate: '10% and 1pp' } }], /should match/],
  ['Rollout', 'spec.analysis.metrics', [{ errors: { ruleOut: '200%' } }], /should match/],
  ['Rollout', 'spec.analysis.whenUnsure', { do: 'promote' }, /Unsupported value: "promote"/],
  ['Rollout', 'spec.analysis.whenUnsure', { after: '10' }, /should match/],
  ['Rollout', 'spec.analysis.onSourceDown', { do: 'proceed' }, /Unsupported value: "proceed".*"hold", "rollback"/],
  ['Rollout', 'spec.analysis.onSourceDown', { after: '10' }, /should match/],
  ['RolloutAction', 'spec.action', 'approve', /Unsupported value: "approve"/],
  ...['abort', 'retry', 'promote', 'skip'].map(
    (action) =>
      ['RolloutAction', 'spec.action', action, /this action concerns one revision: name it in spec\.revision/] as const,
  ),
  ['RolloutAction', 'spec.revision', '7F9C', /should match/],
  ['RolloutAction', 'spec.reason', 'x'.repeat(501), /may not be more than 500/],
  ['RolloutAction', 'spec.rollout', 'x'.repeat(254), /may not be more than 253/],
  ['FlagSource', 'spec', {}, /a FlagSource is one of featureFlag, flagdFile/],
  ['FlagSource', 'spec.flipt', flagServer, /a FlagSource is one of featureFlag, flagdFile/],
  ['FlagSource', 'spec.featureFlag', { overrideSuffix: 'a', overrideName: 'b' }, /leave overrideSuffix out/],
  ['FlagSource', 'spec.featureFlag.kind', 'ConfigMap', /Unsupported value: "ConfigMap"/],
  ['FlagSource', 'spec.featureFlag.overrideSuffix', 'A', /should match/],
  ['FlagSource', 'spec.verify', { within: '500ms' }, /should match/],
  ['FlagSource', 'spec.verify', { within: '6m' }, /within a time of 1s to 5m/],
  ['FlagSource', 'spec.namespaces', { matchLabels: { team: 'a b' } }, /should match/],
  ['FlagSource', 'spec', { flagdFile: { configMap: 'flags', key: 'a/b' } }, /should match/],
  ['FlagSource', 'spec', { flagdFile: { configMap: 'flags', key: 'a', delay: '5m' } }, /delay is at most 4m/],
  ['FlagSource', 'spec', { flipt: { address: 'http://user:secret@flipt' } }, /should match/],
  ['FlagSource', 'spec', { flipt: { ...Object(flagServer), timeout: '11s' } }, /a request may take 500ms to 10s/],
  [
    'FlagSource',
    'spec',
    { flipt: { address: 'http://flipt', caBundle: 'x' } },
    /caBundle needs an address with https:/,
  ],
  ['FlagSource', 'spec', flagHttp({ write: { ...flagWrite, url: 'https://$(flag).example.com/' } }), /should match/],
  ['FlagSource', 'spec', flagHttp({ write: { ...flagWrite, url: 'https://a/$(secret)' } }), /should match/],
  ['FlagSource', 'spec', flagHttp({ write: { ...flagWrite, body: '$(secret)' } }), /should match/],
  ['FlagSource', 'spec', flagHttp({ write: { ...flagWrite, success: [302] } }), /less than or equal to 299/],
  ['FlagSource', 'spec', flagHttp({ write: { ...flagWrite, method: 'GET' } }), /Unsupported value: "GET"/],
  [
    'FlagSource',
    'spec',
    flagHttp({ write: { ...flagWrite, headers: [{ name: 'Authorization', value: 'x' }] } }),
    /not for a FlagSource to set/,
  ],
  ['FlagSource', 'spec', flagHttp({ readBack: { ...flagRead, value: 'on' } }), /should match/],
  ['FlagSource', 'spec', flagHttp({ variants: [{ name: 'on' }, { name: 'on' }] }), /Duplicate value/],
  [
    'FlagSource',
    'spec',
    flagHttp({ caBundle: 'x', readBack: { ...flagRead, url: 'http://flags.example.com' } }),
    /caBundle needs URLs with https:/,
  ],
  ['MetricSource', 'spec.prometheus.address', 'prometheus:9090', /should match/],
  ['MetricSource', 'spec.prometheus.address', 'ftp://prometheus', /should match/],
  ['MetricSource', 'spec.prometheus.address', 'http://user:secret@prometheus:9090', /should match/],
  ['MetricSource', 'spec.prometheus.address', 'http://prometheus:9090/?token=secret', /should match/],
  ['MetricSource', 'spec.prometheus.address', `http://${'x'.repeat(1020)}`, /may not be more than 1024/],
  ['MetricSource', 'spec.prometheus.timeout', '5', /should match/],
  ['MetricSource', 'spec.dataPlane', 'nginx', /Unsupported value: "nginx".*"traefik", "istio", "linkerd", "app"/],
  ['MetricSource', 'spec.prometheus.auth', { secretRef: { namespace: 'Serin', name: 'a' } }, /should match/],
  ['MetricSource', 'spec.prometheus.caBundle', 'x', /caBundle needs an address with https:/],
  ['MetricSource', 'spec.prometheus.headers', [{ name: 'Authorization', value: 'x' }], /not for a MetricSource to set/],
  ['MetricSource', 'spec.prometheus.headers', [{ name: 'HOST', value: 'x' }], /not for a MetricSource to set/],
  ['MetricSource', 'spec.prometheus.headers', [{ name: 'a b', value: 'x' }], /should match/],
  ['MetricSource', 'spec.prometheus.headers', [{ name: 'a', value: 'x\r\ny: z' }], /should match/],
  [
    'MetricSource',
    'spec.prometheus.headers',
    [
      { name: 'a', value: 'x' },
      { name: 'a', value: 'y' },
    ],
    /Duplicate value/,
  ],
  ['MetricSource', 'spec.namespaces', { matchLabels: { team: 'a b' } }, /should match/],
  ['MetricSource', 'spec.namespaces', { matchExpressions: [{ key: 'a', operator: 'In' }] }, /In and NotIn need values/],
  [
    'MetricSource',
    'spec.namespaces',
    { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
    /have none/,
  ],
  [
    'MetricSource',
    'spec.namespaces',
    { matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] },
    /Unsupported value/,
  ],
  ['MetricSource', 'spec.confine', { namespaceLabel: 'a"} or b{c="' }, /should match/],
  ['MetricSource', 'spec.scrape', { interval: '2' }, /should match/],
  ['MetricSource', 'spec.default', 'true', /must be of type boolean/],
  ['ReleaseRecord', 'spec.attempt', 0, /greater than or equal to 1/],
  ['ReleaseRecord', 'spec.attempt', 1.5, /must be of type integer/],
  ['ReleaseRecord', 'spec.revision', 'A!', /should match/],
];

/** Edits that the API server has to refuse: kind, path, from, to, message. */
export const edits: readonly (readonly [string, string, Json, Json, RegExp])[] = [
  ['Rollout', 'spec.targetRef.name', 'shop', 'other', /targetRef cannot change: delete this Rollout/],
  ['RolloutAction', 'spec.reason', 'one', 'two', /an action cannot be edited: create another one/],
  ['ReleaseRecord', 'spec.revision', hash, 'other', /a release record is history and cannot be edited/],
];

export const right: readonly (readonly [string, string, Json])[] = [
  ['Rollout', 'spec.strategy.steps', weights(0.01, 0.07, 1.1, 33.33, 99.99, 100)],
  [
    'Rollout',
    'spec.strategy.steps',
    weights(...Array.from({ length: 20 }, (_, i) => 0.29 * (i + 1)).map((w) => Number(w.toFixed(2)))),
  ],
  ['Rollout', 'spec.traffic.drain', '1h30m5s'],
  ['Rollout', 'spec.strategy.steps', [{ check }, { weight: 5, atLeast: '1m' }, { check }, { check }, { weight: 25 }]],
  [
    'Rollout',
    'spec.strategy.steps',
    [{ check }, { weight: 5 }, { flag, atLeast: '1m' }, { flag: { ...flag, percent: 10 } }, { weight: 25 }],
  ],
  ['Rollout', 'spec.onAnomaly', [{ rollback: {} }]],
  ['Rollout', 'spec.onAnomaly', [{ notify: {} }, { observe: {} }, { flag }, { observe: { for: '30m' } }, { hold: {} }]],
  [
    'Rollout',
    'spec.onAnomaly',
    [{ flag: { ...flag, observe: '10s' } }, { flag: { ...flag, source: 'b' } }, { rollback: {} }],
  ],
  ['RolloutAction', 'spec.action', 'restoreFlags'],
  ['Rollout', 'spec.strategy.steps', checks({ requests: [full, { path: '/' }], within: '30s', port: 8080 })],
  ['Rollout', 'spec.strategy.steps', asking({ path: '/', expect: { within: '10s' } })],
  [
    'Rollout',
    'spec',
    {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
      strategy: { steps: checks({ requests: [{ path: '/' }], port: 8080 }) },
    },
  ],
  ['Rollout', 'spec.analysis', { mode: 'observe', whenUnsure: { after: '1m', do: 'proceed' } }],
  [
    'Rollout',
    'spec.analysis.metrics',
    [
      { errors: {} },
      { latency: { threshold: '300ms', tolerate: '12.5%', ruleOut: '2x + 1pp' } },
      { query: { ...pair, tolerate: '5%', ruleOut: '3x' } },
      { query: { ...limit, max: 30 } },
      { query: { ...limit, name: 'workers', min: 0.5 } },
    ],
  ],
  ['Rollout', 'spec.analysis.metrics', [{ latency: {} }]],
  ['Rollout', 'spec.analysis.metrics', [{ errors: { tolerate: '0.01pp', ruleOut: '0.2pp' } }]],
  ['Rollout', 'spec.analysis.metrics', [{ errors: { tolerate: '10% or 0.01pp', ruleOut: '2x + 0.2pp' } }]],
  ['RolloutAction', 'spec.action', 'resume'],
  ['FlagSource', 'spec.featureFlag', { kind: 'FeatureFlag', overrideSuffix: 'overrides' }],
  ['FlagSource', 'spec', { flagdFile: { configMap: 'flags', key: 'flags.flagd.json' }, verify: { within: '3m' } }],
  [
    'FlagSource',
    'spec',
    {
      unleash: {
        ...Object(flagServer),
        environment: 'production',
        auth: flagSecret,
        clientAuth: flagSecret,
        timeout: '500ms',
      },
    },
  ],
  ['FlagSource', 'spec', flagHttp({ auth: { ...Object(flagSecret), header: 'X-Api-Key', scheme: 'none' } })],
  ['FlagSource', 'spec', flagHttp({ readBack: { ...flagRead, value: '/environments/$(namespace)~1a/0/on' } })],
  ['MetricSource', 'spec.prometheus.address', 'https://[fd00::1]:9090/tenant/a'],
  ['MetricSource', 'spec.prometheus.headers', [{ name: 'X-Scope-OrgID', value: 'shop|cart' }]],
  ['MetricSource', 'spec.namespaces', { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } }],
  ['MetricSource', 'spec.namespaces', { matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
];

function routes(count: number): Json[] {
  return names(count).map((name) => ({ kind: 'HTTPRoute', name }));
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i}`);
}

function queries(count: number): Json[] {
  return names(count).map((name) => ({ query: { ...pair, name } }));
}

/** Beside errors, so that only the query can be wrong. */
function query(fields: Json): Json[] {
  return [{ errors: {} }, { query: fields }];
}

function checks(fields: Json): Json[] {
  return [{ check: fields }];
}

function asking(request: Json): Json[] {
  return checks({ requests: [request] });
}

function headers(count: number): Json[] {
  return names(count).map((name) => ({ name, value: name }));
}

function weights(...values: number[]): Json[] {
  return values.map((weight) => ({ weight }));
}

/** A copy with one field set, or removed where the value is undefined. */
export function change(object: unknown, path: string, value: Json | undefined): unknown {
  const copy = structuredClone(object);
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
  const last = keys.pop() ?? '';
  const parent = keys.reduce((at, key) => {
    at[key] ??= {};
    return Object(at[key]);
  }, Object(copy));
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}
