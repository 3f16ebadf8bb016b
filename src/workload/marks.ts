/** Owns the names under which Serin marks objects, and the few foreign names it relies on; nothing else may spell them. */

const DOMAIN = 'serin.dev/';

/** On a Deployment: `true` while a Rollout is attached, or RELEASED. */
export const ATTACHED_LABEL = `${DOMAIN}attached`;
/** Value of a label of ours by which a person broke the glass: Serin leaves the object alone, and the label too. */
export const RELEASED = 'released';
/** On a Deployment: `paused` is Serin's and not a person's. */
export const HELD_ANNOTATION = `${DOMAIN}held`;
/** On a Deployment during a handover: the maxSurge that is the user's. */
export const MAX_SURGE_ANNOTATION = `${DOMAIN}max-surge`;
/** On a Deployment under the pause guard: the progressDeadlineSeconds that are the user's. */
export const PROGRESS_DEADLINE_ANNOTATION = `${DOMAIN}progress-deadline`;
/** On a Service: the revision to which Serin narrowed its selector, or RELEASED. */
export const PINNED_LABEL = `${DOMAIN}pinned`;
/** On every object that Serin makes for an attempt. */
export const ROLLOUT_UID_LABEL = `${DOMAIN}rollout-uid`;
export const ATTEMPT_LABEL = `${DOMAIN}attempt`;
/** On a ReleaseRecord while its attempt runs: what it owns serves traffic, so it must not go. */
export const ANCHOR_FINALIZER = `${DOMAIN}anchor`;
/** On a Rollout: nothing of ours is left behind when it is deleted. */
export const DETACH_FINALIZER = `${DOMAIN}detach`;
/** On a route during a release: the weights as the user wrote them. */
export const SPLIT_ANNOTATION = `${DOMAIN}split`;
/** On a FeatureFlag: `true` says that Serin may write into it. */
export const FLAG_OVERRIDE_LABEL = `${DOMAIN}flag-override`;
/** On an object that holds flags: the changes that Serin wrote into it, so that none is written twice. */
export const FLAG_CHANGES_ANNOTATION = `${DOMAIN}flag-changes`;

/** Owner of the fields that Serin sets, in managedFields. */
export const FIELD_MANAGER = 'serin';
/** The identity that tries the guard; it is allowed dry runs only. */
export const PROBE_USER = 'system:serviceaccount:serin-system:serin-probe';

/** To the Deployment controller and to kstatus: there is no progress deadline, so a pause is no failure. */
export const NO_DEADLINE_SECONDS = 2_147_483_647;
/** The Deployment controller's own names. */
export const POD_TEMPLATE_HASH = 'pod-template-hash';
export const DESIRED_REPLICAS_ANNOTATION = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS_ANNOTATION = 'deployment.kubernetes.io/max-replicas';

/** A patch that takes every label or annotation of Serin's off these. */
export function marksOff(marks: Readonly<Record<string, string>> = {}): Record<string, null> {
  return Object.fromEntries(
    Object.keys(marks)
      .filter(isOurs)
      .map((key) => [key, null]),
  );
}

/** True for every label and annotation that is Serin's. */
export function isOurs(key: string): boolean {
  return key.startsWith(DOMAIN);
}
