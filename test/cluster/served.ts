/** What an API server knows of the kinds that not every cluster has. It is asked, never guessed from a version. */

export interface Served {
  /** MutatingAdmissionPolicy v1: Kubernetes 1.36. */
  admission: boolean;
  /** HTTPRoute v1 of the Gateway API. */
  routes: boolean;
}

/** `answerOf` gives the body that a path of the API is answered with, and undefined where there is none. */
export async function servedBy(answerOf: (path: string) => Promise<string | undefined>): Promise<Served> {
  const [admission, routes] = await Promise.all([
    answerOf('/apis/admissionregistration.k8s.io/v1'),
    answerOf('/apis/gateway.networking.k8s.io/v1'),
  ]);
  return {
    admission: admission?.includes('"mutatingadmissionpolicies"') === true,
    routes: routes?.includes('"httproutes"') === true,
  };
}
