/**
 * One flag of a real Unleash, as people see and change it: past everything that stands between Unleash and Serin. Its log of
 * events is what says how often the flag was really changed: there is none for a call that changes nothing.
 */
import type { FlagEvent } from '../../unleash/admin.ts';
import type { RunningUnleash } from '../../unleash/unleash.ts';

export class UnleashFlag {
  readonly name: string;
  readonly #unleash: RunningUnleash;

  private constructor(unleash: RunningUnleash, name: string) {
    this.#unleash = unleash;
    this.name = name;
  }

  /** A new flag, for everybody where it is on. */
  static async create(unleash: RunningUnleash, name: string, isOn: boolean): Promise<UnleashFlag> {
    await unleash.createFlag(name, { enabled: isOn });
    return new UnleashFlag(unleash, name);
  }

  async turn(state: 'on' | 'off'): Promise<void> {
    await this.#unleash.admin.turn(this.name, state);
  }

  isOn(): Promise<boolean> {
    return this.#unleash.isEnabled(this.name);
  }

  /** In the order they happened. */
  events(): Promise<FlagEvent[]> {
    return this.#unleash.events(this.name);
  }

  /** How often it was really turned on and off since a moment. */
  async turnsSince(fromMs: number): Promise<{ readonly on: number; readonly off: number }> {
    const events = (await this.events()).filter(({ atMs }) => atMs >= fromMs);
    const count = (type: string) => events.filter((event) => event.type === type).length;
    return { on: count('feature-environment-enabled'), off: count('feature-environment-disabled') };
  }
}
