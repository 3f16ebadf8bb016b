/** The few HTTP requests that starting a cluster takes: is it ready, and does it say so with 200. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Access {
  /** PEM text of the authority that signed the server's certificate. */
  ca?: string;
  token?: string;
}

/** GET; gives status and body. Refused connections and answers slower than 2 s are errors. */
export function get(url: string, access: Access = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = access.token === undefined ? {} : { authorization: `Bearer ${access.token}` };
    const tls = access.ca === undefined ? {} : { ca: access.ca };
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const call = send(url, { headers, ...tls, agent: false, timeout: 2000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`no answer from ${url} within 2 s`)));
    call.on('error', reject);
    call.end();
  });
}

/** True when the address answers 200; anything else, also no answer, is false. */
export async function answersOk(url: string, access: Access = {}): Promise<boolean> {
  return get(url, access).then(
    ({ status }) => status === 200,
    () => false,
  );
}
