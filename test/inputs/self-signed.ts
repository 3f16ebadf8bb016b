/** Servers that no client can come to terms with: one whose certificate nobody signed, one that speaks something else. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, type LookupFunction, type Server, type Socket, createServer } from 'node:net';

export interface Listener {
  readonly port: number;
  /** Its certificate (PEM), where it has one. */
  readonly certificate?: string;
  close(): Promise<void>;
}

/** An HTTPS server whose certificate is signed by itself. */
export async function startSelfSigned(name = 'prometheus', body = '{}'): Promise<Listener> {
  const signed = selfSigned(name);
  const listener = await listening(createHttpsServer(signed, (_, response) => response.end(body)));
  return { ...listener, certificate: signed.cert };
}

/** A server that greets like an SSH daemon. */
export async function startStranger(): Promise<Listener> {
  return listening(createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.2\r\n')));
}

/** A resolver that knows addresses only, as in a cluster whose DNS does not know the name. */
export const neverResolves: LookupFunction = (hostname, _options, done) =>
  done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), '');

async function listening(server: Server): Promise<Listener> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => void sockets.add(socket));
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, close };
}

/** An X.509 certificate written by hand: Node reads them and cannot make them. */
function selfSigned(name: string): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));
  const subject = sequence(der(0x31, sequence(Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(name)))));
  const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('490101000000Z')));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(der(0x02, Buffer.from([1])), algorithm, subject, validity, subject, key);
  const signature = createSign('sha256').update(body).sign(privateKey);
  const whole = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature));
  const cert = `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`;
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
