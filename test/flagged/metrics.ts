/** The exposition of the flagged application: the same families and labels as the Go workload's, so that all stories can use either. */

const boundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const histogram = 'http_request_duration_seconds';

interface Series {
  readonly code: number;
  readonly method: string;
  count: number;
  sumSeconds: number;
  /** Requests that took at most the bound of the same place. */
  readonly buckets: number[];
}

export class Metrics {
  readonly #series = new Map<string, Series>();
  readonly #startedSeconds = Date.now() / 1000;

  observe(code: number, method: string, tookSeconds: number): void {
    const key = `${code} ${method}`;
    const one = this.#series.get(key) ?? { code, method, count: 0, sumSeconds: 0, buckets: boundsSeconds.map(() => 0) };
    this.#series.set(key, one);
    one.count += 1;
    one.sumSeconds += tookSeconds;
    for (const [index, bound] of boundsSeconds.entries())
      if (tookSeconds <= bound) one.buckets[index] = (one.buckets[index] ?? 0) + 1;
  }

  text(): string {
    const all = [...this.#series.values()].toSorted((a, b) => a.code - b.code);
    const families = [
      ...(all.length === 0 ? [] : ['# TYPE http_requests_total counter', ...all.map(counterOf)]),
      ...(all.length === 0 ? [] : [`# TYPE ${histogram} histogram`, ...all.flatMap(histogramOf)]),
      ...this.#process(),
    ];
    return `${families.join('\n')}\n`;
  }

  #process(): string[] {
    const { user, system } = process.cpuUsage();
    return [
      '# TYPE process_cpu_seconds_total counter',
      `process_cpu_seconds_total ${(user + system) / 1e6}`,
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
      '# TYPE process_start_time_seconds gauge',
      `process_start_time_seconds ${this.#startedSeconds.toFixed(3)}`,
    ];
  }
}

function labelsOf({ code, method }: Series): string {
  return `code="${code}",method="${method}"`;
}

function counterOf(one: Series): string {
  return `http_requests_total{${labelsOf(one)}} ${one.count}`;
}

function histogramOf(one: Series): string[] {
  const buckets = boundsSeconds.map((bound, index) => [String(bound), one.buckets[index] ?? 0] as const);
  return [
    ...[...buckets, ['+Inf', one.count] as const].map(
      ([bound, count]) => `${histogram}_bucket{${labelsOf(one)},le="${bound}"} ${count}`,
    ),
    `${histogram}_sum{${labelsOf(one)}} ${one.sumSeconds}`,
    `${histogram}_count{${labelsOf(one)}} ${one.count}`,
  ];
}
