/** Thrown before anything was made: what the cluster has not, and whose move it is, in one sentence. */
export class Missing extends Error {}
