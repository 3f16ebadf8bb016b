/** Owns the shape of one request and its answer inside the double, whatever way they came; it never interprets them. */

/** Who asks. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export const adminUser: User = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

export const operatorUser: User = {
  name: 'system:serviceaccount:serin-system:serin',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:serin-system', 'system:authenticated'],
};

/** One of the controllers of the control plane, such as `deployment-controller`. */
export function componentUser(name: string): User {
  return {
    name: `system:serviceaccount:kube-system:${name}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  };
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON, the caller's own copy. */
  readonly body?: unknown;
  /** Media type of the body, without parameters. */
  readonly contentType: string;
  /** Impersonation is resolved already. */
  readonly user: User;
  /** What the client calls itself; names the field manager when the query does not. */
  readonly userAgent?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Texts of Warning headers. */
  readonly warnings: readonly string[];
}
