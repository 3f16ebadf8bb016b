/**
 * The closed lists of words that Serin says: phases, verdicts, reasons (of status, conditions and Events) and exit codes,
 * with the sentence that explains each and whose move it is. Status, Events, help texts and documentation all read here;
 * what to do about each reason stands in advice.ts.
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
export type Move = 'serin' | 'user' | 'none';

type Words = Readonly<Record<string, readonly [move: Move, sentence: string]>>;

/** An Event of any time: the status says in its own words where the Rollout stands. */
const always = {
  Hindered: ['user', 'Serin could not do what comes next, several times in a row; it keeps trying.'],
  FlagRestored: ['none', 'A feature flag that Serin had changed was put back.'],
  FlagKept: ['none', 'Somebody changed a feature flag after Serin did, so it was left alone.'],
  FlagNotRestored: ['user', 'A feature flag that Serin had changed could not be put back in time.'],
} as const satisfies Words;

const atRest = {
  UpToDate: ['none', 'The live template is the stable revision.'],
  Attached: ['none', 'Serin took charge of the releases of this workload.'],
  Detached: ['none', 'Serin gave the workload back.'],
} as const satisfies Words;

const attaching = {
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
} as const satisfies Words;

const releasing = {
  ScaledToZero: ['user', 'The Deployment has 0 replicas; a release waits until it has some.'],
  ReleaseStarted: ['serin', 'A new template was seen and its release began.'],
  Preparing: ['serin', 'Services are pinned and the first pods of the new revision start.'],
  PodsStarting: ['serin', 'Pods of the new revision start.'],
  Checking: ['serin', 'Requests of a check are sent to pods of the new revision.'],
  CheckUnanswered: ['user', 'No pod of the new revision could be asked by a check; this says nothing about it.'],
  Shifting: ['serin', 'Routes take up a new weight.'],
  Judging: ['serin', 'The new revision is being compared with the stable one.'],
  Stepped: ['serin', 'The weight rises to the next step.'],
  Baking: ['serin', 'All traffic is on the new revision; the old pods are kept warm.'],
  NotEnoughTraffic: ['serin', 'There is too little traffic to prove anything; whenUnsure decides.'],
  Unsure: ['user', 'whenUnsure says hold, and the evidence is not enough.'],
  SourceDown: ['serin', 'The metric source does not answer; this says nothing about the revision.'],
  SourceNeverAnswered: ['user', 'The metric source has never answered; the release holds.'],
  TurningFlag: ['serin', 'A feature flag is being changed, as a step or onAnomaly asks.'],
  FlagTurned: ['serin', 'A feature flag was changed and is seen to be served.'],
  FlagNotServed: ['user', 'The flag of a step is not served in time; this says nothing about the revision.'],
  FlagLeftOut: ['none', 'The flag of a step is not turned on.'],
  FlagHarm: [
    'user',
    'With the flag of a step the old version got worse too; the flag is turned back and the step held.',
  ],
  Observing: ['serin', 'The weight is cut and fresh evidence is looked at, as onAnomaly asks.'],
  NotTheCause: ['serin', 'What onAnomaly asked for did not stop the harm; the next rung is taken.'],
  FlagWasTheCause: ['user', 'With the flag changed the harm is gone; the release goes on and the flag stays so.'],
  HarmGone: ['serin', 'Fresh evidence shows no harm any more; the release goes on.'],
  Notified: ['user', 'The new revision does harm, and onAnomaly says that people are told.'],
  HeldForPerson: ['user', 'The new revision does harm, and onAnomaly says hold.'],
  AlertFiring: ['user', 'An alert that the Rollout names fires; no weight rises.'],
  CostTooHigh: ['user', 'The new revision costs more than the Rollout tolerates.'],
  SplitOff: ['user', 'Another share of the requests reaches the new revision than its weight says, or none.'],
  NotConverged: ['user', 'The gateway has not taken up the route within the deadline.'],
  CapacityLow: ['serin', 'The new revision lost ready pods; its weight follows its capacity.'],
  PausedByPerson: ['user', 'A person paused the release.'],
  Braked: ['serin', 'The weight was cut because the new revision may be harmful.'],
  Unresolved: ['user', 'The brake is on for long and the evidence decides neither way.'],
  BrakeReleased: ['serin', 'The doubt is gone; the release goes on.'],
  WouldHaveBraked: ['user', 'Mode observe: the weight would have been cut, and was not.'],
  WouldHaveRolledBack: ['user', 'Mode observe: the revision would have been rolled back, and was not.'],
  Promoting: ['serin', 'The Deployment takes over the ReplicaSet of the new revision.'],
  NotAdopted: ['user', 'The Deployment controller has not taken over the ReplicaSet in time.'],
  Promoted: ['none', 'The new revision is stable.'],
} as const satisfies Words;

const goingBack = {
  Errors: ['user', 'The new revision fails more requests than tolerated.'],
  Latency: ['user', 'The new revision is slower than tolerated.'],
  Metric: ['user', 'A metric that the Rollout names is worse than tolerated, or beyond its limit.'],
  Alert: ['user', 'An alert that the Rollout names fires, and its do says rollback.'],
  CheckFailed: ['user', 'A pod of the new revision did not answer a check as expected.'],
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
} as const satisfies Words;

/** The reasons by where a Rollout stands when they are given, for those who read them in order. */
export const REASON_GROUPS = {
  'At any time': always,
  'At rest': atRest,
  'While Serin attaches': attaching,
  'During a release': releasing,
  'Going back, and afterwards': goingBack,
} as const;

export const REASONS = { ...always, ...atRest, ...attaching, ...releasing, ...goingBack } as const;
export type Reason = keyof typeof REASONS;

/**
 * Whose move it is now, undefined for a reason of another version. The words of a way back say why; until it has ended, or
 * stands still, it is Serin that acts.
 */
export function moveOf({ phase, reason, isStalled }: Standing): Move | undefined {
  const isGoingBack = phase === 'RollingBack' || phase === 'Detaching';
  if (isGoingBack && !isStalled) return 'serin';
  return Object.entries(REASONS).find(([name]) => name === reason)?.[1][0];
}

interface Standing {
  readonly phase: string | undefined;
  readonly reason: string | undefined;
  /** The condition Stalled is True. */
  readonly isStalled: boolean;
}

/** Reasons that the conditions Guarded and Judged have of their own; Ready, Reconciling and Stalled have the reason of the status. */
export const CONDITION_REASONS = {
  Guarded: {
    AdmissionGuard: 'A dry run showed that a new template is held in the write that brings it.',
    PauseGuard:
      'The Deployment stays paused while it is attached, because admission policy does not hold a template here.',
    GuardAbsent: 'A dry run showed that a new template would not be held.',
    NotTried: 'The guard was not tried yet.',
  },
  Judged: {
    AgainstStable: 'The new version is compared with the old one at the same time.',
    AgainstHistory: 'During the bake: the new version is held against the rate of the old one during this release.',
    NoSource: 'There is no MetricSource; only readiness and restarts are watched.',
    NoSeries: 'The source answers and has no series for the selector in the message.',
    Waiting: 'The first counts are not there yet.',
    SourceDown: 'The source does not answer, or its samples are old.',
  },
} as const;

/** What the column VERDICT says. While a release goes back it is the reason why. */
export const VERDICTS = {
  Acceptable: 'The new version is not unacceptably worse, by the evidence of this step.',
  NotEnough: 'There is not enough evidence yet.',
  Doubt: 'There is evidence of harm, and not enough to go back; no step forward.',
  Checking: 'Requests of a check are sent to its pods.',
  Flag: 'The flag of a step is not served yet, or made both versions worse.',
  Harm: 'It does harm, and what onAnomaly says is being done.',
  Alert: 'An alert that the Rollout names fires.',
  Cost: 'It costs more than the Rollout tolerates.',
  WouldBrake: 'Mode observe: the weight would have been cut.',
  WouldRollBack: 'Mode observe: it would have been rolled back.',
  Baking: 'All requests are on the new version and nothing speaks against it.',
  NoSource: 'There is no metric source; only readiness and restarts are watched.',
  SourceDown: 'The metric source does not answer, which is no verdict.',
} as const;

/**
 * Reasons that Serin gives in Events. A clean release has one Event when it begins, one for each step, and one each for the
 * bake, the beginning and the end of the promotion.
 */
export const EVENT_REASONS = [
  'Hindered',
  'Attached',
  'Detached',
  'GuardBypassed',
  'ReleaseStarted',
  'Stepped',
  'Baking',
  'Braked',
  'BrakeReleased',
  'FlagTurned',
  'FlagLeftOut',
  'FlagHarm',
  'NotTheCause',
  'FlagWasTheCause',
  'HarmGone',
  'Notified',
  'HeldForPerson',
  'FlagRestored',
  'FlagKept',
  'FlagNotRestored',
  'WouldHaveBraked',
  'WouldHaveRolledBack',
  'Promoting',
  'Promoted',
  // why a release goes back
  'Errors',
  'Latency',
  'Metric',
  'Alert',
  'CostTooHigh',
  'CheckFailed',
  'Crashes',
  'NotReady',
  'ImagePull',
  'Unschedulable',
  'QuotaExceeded',
  'Aborted',
  'Superseded',
  'Cancelled',
  'NotJudged',
  'Detaching',
  'Released',
  'TargetMissing',
  'TargetReplaced',
  'CanaryEscaped',
  'UnknownPast',
] as const satisfies readonly Reason[];

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

/** What each exit code says. */
export const EXIT_WORDS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'Done; of `watch --exit-status`: released.',
  error: 'Something went wrong; the message says what.',
  usage: 'The command line is wrong.',
  rolledBack: 'The release was rolled back.',
  needsPerson: 'A person is needed, or the act was refused.',
  timedOut: 'The time given by `--timeout` is over.',
  notFoundOrForbidden: 'There is no such object, or you may not read or write it.',
};
