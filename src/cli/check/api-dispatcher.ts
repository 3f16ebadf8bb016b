/** Carries the query of a metric source through the API server to a Service inside the cluster; it sends nothing but that query. */
import { Dispatcher } from 'undici';
import type { KubeClient } from '../../kube/client.ts';

/** A Service behind the API server. */
export interface InCluster {
  readonly namespace: string;
  /** As the proxy of the API server wants it: "https:prometheus:9090". */
  readonly target: string;
}

/** `onFailure`: told the KubeError with which the API server, or the source behind it, refused. */
export class ApiDispatcher extends Dispatcher {
  readonly #client: KubeClient;
  readonly #service: InCluster;
  readonly #onFailure: (error: unknown) => void;

  constructor(client: KubeClient, service: InCluster, onFailure: (error: unknown) => void) {
    super();
    this.#client = client;
    this.#service = service;
    this.#onFailure = onFailure;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const controller = uncontrolled();
    handler.onRequestStart?.(controller, {});
    this.#ask(options).then(
      (answer) => {
        handler.onResponseStart?.(controller, 200, {}, 'OK');
        handler.onResponseData?.(controller, Buffer.from(JSON.stringify(answer)));
        handler.onResponseEnd?.(controller, {});
      },
      (error: unknown) => {
        this.#onFailure(error);
        handler.onResponseError?.(controller, error instanceof Error ? error : new Error(String(error)));
      },
    );
    return true;
  }

  /** The proxy takes reads from whoever may read; so the form becomes a query. */
  #ask({ path, body }: Dispatcher.DispatchOptions): Promise<unknown> {
    const { namespace, target } = this.#service;
    return this.#client.transport.request<unknown>({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/services/${target}/proxy${path}`,
      query: Object.fromEntries(new URLSearchParams(typeof body === 'string' ? body : '')),
      action: `ask ${target} in ${namespace} through the API server`,
    });
  }
}

/** The answer is in memory already: there is nothing to hold back. */
function uncontrolled(): Dispatcher.DispatchController {
  return {
    aborted: false,
    paused: false,
    reason: null,
    pause: () => {},
    resume: () => {},
    abort: () => {},
  };
}
