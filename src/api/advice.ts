/**
 * Owns what a person can do about each reason that Serin gives: printed in the reference of words, one text for each reason.
 * `NAME` stands for the name of the Rollout, in its own namespace.
 */
import type { Reason } from './reasons.ts';

export const ADVICE: Readonly<Record<Reason, string>> = {
  Hindered:
    'The message has the answer of the API server. Usually a right is missing, because `deploy/rbac` is older than the operator, or another policy or a webhook refuses the write. Mend that; Serin tries again by itself.',
  FlagRestored: 'Nothing to do.',
  FlagKept: 'Nothing, if what is there now is wanted: Serin does not touch it again.',
  FlagNotRestored:
    'The message has the answer of the flag backend. Put the flag back there, or mend the backend and `serin restore-flags NAME`, which tries again.',
  UpToDate: 'Nothing to do.',
  Attached: 'Nothing to do. No pod was restarted.',
  Detached:
    'Nothing to do, unless the event is a warning: then the Deployment holds a template that was never released and stays paused; `kubectl rollout resume` starts it.',
  NotSettled:
    '`kubectl rollout status` says what the Deployment waits for. Serin attaches by itself when it has finished.',
  Settling: 'Wait.',
  NeverAvailable: 'Bring the Deployment up as you would without Serin. It attaches when pods are available.',
  TargetMissing:
    'Create the Deployment, or delete the Rollout and create one with the right name: `targetRef` cannot be changed.',
  TargetReplaced:
    'Wait. If something deletes and creates the Deployment at every deployment (`kubectl replace --force`), let it apply instead.',
  SelectorMentionsHash:
    'Create the Deployment anew with a selector without `pod-template-hash`; a selector cannot be changed.',
  NoHistory: 'Set `spec.revisionHistoryLimit` of the Deployment to 1 or more.',
  RecreateStrategy:
    'If two versions may run beside each other, set `strategy.allowTwoVersions: true` in the Rollout. If not, this Deployment cannot be released in steps.',
  HeldByOther: 'The message names the other. Let one of the two go.',
  PausedByOther: '`kubectl rollout resume` when the pause is no longer wanted. Serin starts nothing until then.',
  ServiceMissing: 'Create the Service or correct `traffic.service`.',
  ServiceUnsupported: 'Name a Service whose selector matches the pods.',
  ServiceSelectsOthers: 'Correct `traffic.service`, the selector of the Service, or the labels of the template.',
  ServiceShared:
    'The message names the Service and whose pods they are. Narrow its selector, or list it in `traffic.alsoReachable` if both versions may be reached through it at once.',
  RouteMissing:
    'Create the HTTPRoute or correct `traffic.routes`. During a release: put the route back, or `serin abort NAME`.',
  RouteDoesNotServe: 'A rule of the route has to have the Service as a backend.',
  RouteNotAccepted:
    '`kubectl describe httproute` shows what the gateway says. The release begins when one has accepted it.',
  GuardAbsent:
    'Install the policies, with `kubectl apply --server-side -f deploy/install.yaml`, and let the operator run as `system:serviceaccount:serin-system:serin`; it tries again by itself. On a cluster before Kubernetes 1.36 it needs `--guard auto`, which is the default.',
  GuardBypassed:
    'Serin lets that rollout finish. Find out who may change or delete the policy `serin-guard`, and whether it is there.',
  Released:
    'When the emergency is over, take the label off again: `kubectl label deployment checkout serin.dev/attached-`.',
  RehearsalRefused:
    "The message has the API server's own words: a quota that has no room for a second version, or an admission policy that pods of the template do not pass.",
  NameTaken: 'The message names the object. Rename or delete it if nothing needs it.',
  NewerJournal: 'Install the newer version again.',
  InvalidSpec:
    'The message says which field. Usually the CRDs are older or newer than the operator: apply `crds` of the same version.',
  ScaledToZero: 'Scale the Deployment up; the release then goes on.',
  ReleaseStarted: 'Nothing to do.',
  Preparing: 'Wait.',
  PodsStarting:
    'Wait. If it lasts, `kubectl get pods` shows what they wait for; at `strategy.podsReadyWithin` the release goes back.',
  Checking: 'Wait. The message says what is missing, if a pod has not answered as expected so far.',
  CheckUnanswered:
    'Let the operator reach the pods: a NetworkPolicy, a mesh that insists on TLS, or an operator outside the cluster may stand between. If the message names a port that nothing listens on, set `check.port`. `serin skip NAME` goes on without this check.',
  Shifting: 'Wait.',
  Judging: 'Wait. The message says for what, and `serin explain NAME` shows the counts.',
  Stepped: 'Nothing to do.',
  Baking: 'Wait. Going back is still one write to the route: `serin abort NAME`.',
  NotEnoughTraffic:
    'Wait, or `serin skip NAME`. If it is always so, larger weights or a longer `whenUnsure.after` help. If the message names a selector, the series that it asks for do not exist: check `dataPlane` of the MetricSource and the labels `namespace` and `pod`.',
  Unsure: 'Decide: `serin skip NAME` or `serin promote NAME` go on, `serin abort NAME` goes back.',
  SourceDown:
    'See whether Prometheus answers at the address of the MetricSource. The weight stays where it is; after `onSourceDown.after` a person is asked (or the release goes back, if the Rollout says so).',
  SourceNeverAnswered:
    'Correct the address of the MetricSource, or what stands between the operator and it. `serin skip NAME` goes on without evidence.',
  TurningFlag: 'Wait.',
  FlagTurned: 'Nothing to do.',
  FlagNotServed:
    'The message has the answer of the flag backend: mend it, or correct the names in the step for the next release. `serin skip NAME` goes on without the flag.',
  FlagLeftOut: 'Turn the flag on by hand if it is wanted.',
  FlagHarm:
    'Find out what the flag does to both versions. `serin skip NAME` goes on without it, `serin abort NAME` goes back.',
  Observing: 'Wait. The message says what comes next if the harm is still there.',
  NotTheCause: 'Nothing to do: Serin goes on to the next rung.',
  FlagWasTheCause:
    'Mend what is behind the flag. Then change the flag in its backend, or `serin restore-flags NAME`; Serin does not turn it back by itself.',
  HarmGone: 'Nothing to do. `serin explain NAME` shows what was seen.',
  Notified: 'Look at the counts in the message. `serin abort NAME` if you know that it is bad.',
  HeldForPerson: '`serin abort NAME`, or apply a fix: it replaces this release. It does not go on by itself.',
  AlertFiring:
    'See to the alert. The release goes on when it no longer fires; `serin skip NAME` goes on all the same, `serin abort NAME` goes back.',
  CostTooHigh:
    'The message has the amount and where it comes from. `serin skip NAME` or `serin promote NAME` if it is worth that, `serin abort NAME` if not. If the release went back, the Rollout said so.',
  SplitOff:
    'See whether the gateway obeys the weights of the route (`kubectl describe httproute`, and what it really sends where), and whether another route goes round it. The weight does not grow until it does. `serin skip NAME` if it is right so.',
  NotConverged:
    '`kubectl describe httproute` shows whether the gateway has accepted the route at its present generation. The weight does not grow until it has.',
  CapacityLow: 'Nothing, if pods come back. Otherwise see why pods of the new version end.',
  PausedByPerson: '`serin resume NAME` or `serin abort NAME`.',
  Braked: 'Wait: the evidence decides, at little cost. `serin abort NAME` if you know already.',
  Unresolved: '`serin abort NAME`, or apply a fix: it replaces this release.',
  BrakeReleased: 'Nothing to do.',
  WouldHaveBraked:
    'Nothing was done, as the Rollout asks. `serin explain NAME` shows the counts; `serin abort NAME` if you agree with the judge.',
  WouldHaveRolledBack:
    'Nothing was done, as the Rollout asks. `serin explain NAME` shows the counts; `serin abort NAME` if you agree with the judge, `analysis.mode: enforce` to let it act the next time.',
  Promoting: 'Wait. It is final: going back is another release.',
  NotAdopted:
    'The canary goes on serving all requests. See whether kube-controller-manager runs, and whether the selector or labels of the Deployment were changed.',
  Promoted: 'Nothing to do.',
  Errors: 'The message has rates and counts. Fix the version and apply it, or put the old template back.',
  Latency: 'The message has rates and counts. Fix the version and apply it, or put the old template back.',
  Metric:
    'The message has the name of the metric and its numbers. Fix the version and apply it, or put the old template back.',
  Alert: 'See what the alert says of the version. Fix it and apply it, or put the old template back.',
  CheckFailed:
    'The message has the request, the pod and what was expected. Fix the version, or correct the check in the Rollout and say `serin retry NAME`.',
  Crashes: '`kubectl logs --previous` of the rejected pods while they are there, else your log storage. Fix and apply.',
  NotReady:
    'See the readiness probe, the logs, and the names of ConfigMaps and Secrets. If pods only need longer, raise `strategy.podsReadyWithin`, then `serin retry NAME`.',
  ImagePull: 'Correct the image or its pull secret. If only the registry was down: `serin retry NAME`.',
  Unschedulable:
    "The message has the scheduler's words. A release needs room for a second set of pods, up to twice as many; `serin plan NAME` says how many. Then `serin retry NAME`.",
  QuotaExceeded: 'Raise the quota, then `serin retry NAME`.',
  Aborted: '`serin retry NAME` if it may run after all; otherwise apply another template.',
  Superseded: 'Nothing to do: the newer template is being released.',
  Cancelled: 'Nothing to do. Nothing is held against that revision.',
  StableUnready:
    'Bring pods of the stable revision up: the message names it. Requests stay where there are ready pods until then.',
  NotJudged: 'It says nothing about the version. Bring the metric source or the traffic back, then `serin retry NAME`.',
  Detaching: 'Wait.',
  CanaryEscaped:
    "Somebody or something took the owner off the canary's ReplicaSet. All requests go to the old version; `serin retry NAME` when it is clear why.",
  UnknownPast:
    'All requests go to the old version and nothing is released. If the template in the Deployment is good: `serin retry NAME`.',
  WitnessMissing:
    'Serin cannot tell any more whether the template in the Deployment is the rejected one. If it may run: `serin retry NAME`. Otherwise apply another and say `serin retry NAME` then.',
  RolledBack: 'Apply a fixed template, put the old one back, or `serin retry NAME` to let the rejected one run again.',
};
