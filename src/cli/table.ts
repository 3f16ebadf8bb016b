/** Lays text out as kubectl does: columns and ages; it knows nothing of Rollouts. */

/** Lines of a table with three spaces between columns; an absent cell is shown as `-`. Nothing trails. */
export function tableOf(header: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string[] {
  const lines = [header, ...rows].map((row) => row.map((cell) => (cell === undefined || cell === '' ? '-' : cell)));
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

/** A span of milliseconds with two parts at most, as kubectl writes ages: "42s", "3m20s", "5h12m", "9d". */
export function spanOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return `${minutes}m${partOf(seconds % 60, 's')}`;
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return `${hours}h${partOf(minutes % 60, 'm')}`;
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

function partOf(count: number, unit: string): string {
  return count === 0 ? '' : `${count}${unit}`;
}

/** Time since an RFC 3339 moment; undefined when there is none. */
export function ageOf(moment: string | undefined, nowMs: number): string | undefined {
  const ms = moment === undefined ? Number.NaN : Date.parse(moment);
  return Number.isNaN(ms) ? undefined : spanOf(nowMs - ms);
}
