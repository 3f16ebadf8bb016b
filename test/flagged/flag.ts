/** Keeps one flag up to date through the SDK of Unleash, which polls; what it says is what the fleet says. */
import { InMemStorageProvider, startUnleash } from 'unleash-client';
import type { ClientFeaturesResponse, Unleash } from 'unleash-client';
import type { Settings } from './settings.ts';

export interface Flag {
  /** False until the SDK has its first answer. */
  isReady(): boolean;
  /** False as well where the flag is not known: the SDK's own default. */
  isOn(): boolean;
}

/** Starts polling. Answers that fail are told to `say` and change nothing: the SDK goes on with what it had. */
export function startFlag({ flag, unleash, refreshMs }: Settings, say: (what: string) => void): Flag {
  let client: Unleash | undefined;
  const options = {
    url: unleash.url,
    appName: 'shop',
    // The SDK would ask for the name of the user, which the image does not have.
    instanceId: `shop-${process.pid}`,
    refreshInterval: refreshMs,
    disableMetrics: true,
    customHeaders: { Authorization: unleash.token },
    // Nothing may be written to disk, and a pod that starts must not begin with what another one had heard.
    storageProvider: new InMemStorageProvider<ClientFeaturesResponse>(),
  };
  void startUnleash(options).then(
    (started) => {
      client = started;
      started.on('error', (error: Error) => say(`asking Unleash failed: ${error.message}`));
      started.on('warn', (text: string) => say(`Unleash SDK: ${text}`));
    },
    (error: unknown) => say(`the SDK of Unleash did not start: ${String(error)}`),
  );
  return { isReady: () => client !== undefined, isOn: () => client?.isEnabled(flag) === true };
}
