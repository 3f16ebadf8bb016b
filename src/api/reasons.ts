/**
 * The closed lists of words that Serin says: phases, reasons (of status, conditions and Events) and exit codes, with
 * the sentence that explains each and whose move it is. Status, Events, help texts and documentation all read here.
 */
export const PHASES = {
  Attaching: 'Serin looks at the workload and has not taken charge of its releases yet.',
  Idle: 'Nothing is being released; all traffic is on the stable revision.',
  Waiting: 'A new revision is held and something must happen before its first pod starts.',
  Progressing: 'A new revision takes a growing share of the traffic.',
  Braked: 'The share was cut because of doubt about the new revision; nobody decided yet.',
  Paused: 'A person paused the release; the share does not grow.',
  Promoting: 'The Deployment takes over the new revision and ends the old pods.',
  RollingBack: 'Traffic goes back to the stable revision.',
  RolledBack: 'A revision was rejected and its template still waits in the Deployment.',
  Detaching: 'The Rollout is being deleted; everything returns to its native state.',
} as const;
export type Phase = keyof typeof PHASES;

/** Whose move it is: Serin's (wait), the user's (change something), nobody's (news). */
type Move = 'serin' | 'user' | 'none';

export const REASONS = {
  // at rest
  UpToDate: ['none', 'The live template is the stable revision.'],
  Attached: ['none', 'Serin took charge of the releases of this workload.'],
  Detached: ['none', 'Serin gave the workload back.'],
  // attaching
  NotSettled: ['user', 'The Deployment has not finished its own rollout within its progress deadline.'],
  Settling: ['serin', 'The Deployment is still rolling out by itself; Serin attaches when it has finished.'],
  NeverAvailable: ['user', 'The Deployment has never had an available pod; it is left to come up natively.'],
  TargetMissing: ['user', 'The Deployment named by targetRef does not exist.'],
  TargetReplaced: ['serin', 'The Deployment was deleted and created again; Serin attaches to the new one.'],
  SelectorMentionsHash: ['user', 'The selector of the Deployment contains pod-template-hash.'],
  NoHistory: ['user', 'revisionHistoryLimit is 0; the stable ReplicaSet would be deleted while it is held.'],
  RecreateStrategy: ['user', 'The Deployment has strategy Recreate and strategy.allowTwoVersions is not true.'],
  HeldByOther: ['user', 'Another tool or another Rollout holds this workload.'],
  PausedByOther: ['user', 'Somebody else paused the Deployment.'],
  ServiceMissing: ['user', 'The Service named by traffic.service does not exist.'],
  ServiceUnsupported: ['user', 'The Service has no selector, or is of type ExternalName.'],
  ServiceSelectsOthers: ['user', 'The selector of the Service does not match the pods of the Deployment.'],
  ServiceShared: ['user', 'The Service has endpoints that are not pods of this Deployment.'],
  RouteMissing: ['user', 'A route named by traffic.routes does not exist.'],
  RouteDoesNotServe: ['user', 'No rule of the route names the Service.'],
  RouteNotAccepted: ['user', 'No gateway has accepted the route.'],
  GuardAbsent: ['user', 'The admission policies that hold a new template are not installed or do not work here.'],
  GuardBypassed: ['serin', 'A template rolled out by itself although the Deployment is attached.'],
  Released: ['user', 'The Deployment carries serin.dev/attached=released: somebody broke the glass.'],
  RehearsalRefused: ['user', 'The API server would refuse the pods of the canary.'],
  NameTaken: ['user', 'An object with the name that Serin needs exists and is not Serin’s.'],
  NewerJournal: ['user', 'A newer Serin wrote the status of this Rollout; this one holds.'],
  InvalidSpec: ['user', 'The spec cannot be read.'],
  // release
  ScaledToZero: ['user', 'The Deployment has 0 replicas; a release waits until it has some.'],
  ReleaseStarted: ['serin', 'A new template was seen and its release began.'],
  Preparing: ['serin', 'Services are pinned and the first pods of the new revision start.'],
  PodsStarting: ['serin', 'Pods of the new revision start.'],
  Shifting: ['serin', 'Routes take up a new weight.'],
  Judging: ['serin', 'The new revision is being compared with the stable one.'],
  Stepped: ['serin', 'The weight rises to the next step.'],
  Baking: ['serin', 'All traffic is on the new revision; the old pods are kept warm.'],
  NotEnoughTraffic: ['serin', 'There is too little traffic to prove anything; whenUnsure decides.'],
  Unsure: ['user', 'whenUnsure says hold, and the evidence is not enough.'],
  SourceDown: ['serin', 'The metric source does not answer; this says nothing about the revision.'],
  SourceNeverAnswered: ['user', 'The metric source has never answered; the release holds.'],
  NotConverged: ['user', 'The gateway has not taken up the route within the deadline.'],
  CapacityLow: ['serin', 'The new revision lost ready pods; its weight follows its capacity.'],
  PausedByPerson: ['user', 'A person paused the release.'],
  Braked: ['serin', 'The weight was cut because the new revision may be harmful.'],
  Unresolved: ['user', 'The brake is on for long and the evidence decides neither way.'],
  BrakeReleased: ['serin', 'The doubt is gone; the release goes on.'],
  Promoting: ['serin', 'The Deployment takes over the ReplicaSet of the new revision.'],
  NotAdopted: ['user', 'The Deployment controller has not taken over the ReplicaSet in time.'],
  Promoted: ['none', 'The new revision is stable.'],
  // going back
  Errors: ['user', 'The new revision fails more requests than tolerated.'],
  Crashes: ['user', 'Pods of the new revision crash.'],
  NotReady: ['user', 'Pods of the new revision did not become ready in time.'],
  ImagePull: ['user', 'The image of the new revision cannot be pulled.'],
  Unschedulable: ['user', 'Pods of the new revision cannot be scheduled.'],
  QuotaExceeded: ['user', 'A quota refuses pods of the new revision.'],
  Aborted: ['user', 'A person aborted the release.'],
  Superseded: ['serin', 'A newer template replaced the one under release.'],
  Cancelled: ['serin', 'The template went back to the stable revision.'],
  StableUnready: ['user', 'The stable revision has no ready pod, so the rejected one must go on serving.'],
  NotJudged: ['user', 'The release went back without a verdict, as the Rollout asks.'],
  Detaching: ['serin', 'The Rollout is being deleted.'],
  CanaryEscaped: ['user', 'The ReplicaSet of the canary lost its owner.'],
  UnknownPast: ['user', 'The status of the Rollout was lost during a release; its revision is quarantined.'],
  WitnessMissing: ['user', 'The ReplicaSet that shows what was rejected is gone; a person must say retry.'],
  RolledBack: ['user', 'A revision was rejected; its template waits until it is fixed, reverted or retried.'],
} as const satisfies Record<string, readonly [Move, string]>;
export type Reason = keyof typeof REASONS;

/** Exit codes of every command. */
export const EXIT = {
  done: 0,
  error: 1,
  usage: 2,
  rolledBack: 3,
  needsPerson: 4,
  timedOut: 5,
  notFoundOrForbidden: 6,
} as const;
