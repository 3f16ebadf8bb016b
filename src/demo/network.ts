/** The demo's pod network: addresses that pods believe in, and the real ports of this machine behind them. It moves no bytes. */

/** Works on every system: only 127.0.0.1 is listened on, whatever address a pod has. */
export class PodNetwork {
  readonly #ports = new Map<string, number>();
  #assigned = 0;

  /** The next pod's address; none is given twice. */
  assign(): string {
    this.#assigned += 1;
    return `10.244.${this.#assigned >> 8}.${this.#assigned & 255}`;
  }

  /** From here on `address` ("10.244.0.3:8080") leads to this port of the machine. */
  open(address: string, realPort: number): void {
    this.#ports.set(address, realPort);
  }

  close(address: string): void {
    this.#ports.delete(address);
  }

  /** Where a connection to this pod really goes, "http://127.0.0.1:41233"; undefined: nobody listens there. */
  originOf(address: string): string | undefined {
    const port = this.#ports.get(address);
    return port === undefined ? undefined : `http://127.0.0.1:${port}`;
  }
}
