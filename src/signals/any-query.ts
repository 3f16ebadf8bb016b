// Queries for tests: as people write them, and as nobody should.
import * as fc from 'fast-check';

const name = fc.constantFrom('up', 'http_requests_total', 'sum', 'by', 'start', 'info', 'job:a:rate5m');
const value = fc.string({ unit: fc.constantFrom('a', '"', "'", '`', '\\', '{', '}', '#', '\n', '|', ' ', 'é') });
const matcher = fc
  .tuple(fc.constantFrom('a', 'namespace', 'pod', '__name__'), fc.constantFrom('=', '!=', '=~', '!~'), value)
  .map(([label, operator, text]) => `${label}${operator}${JSON.stringify(text)}`);
const selector = fc
  .tuple(name, fc.array(matcher, { maxLength: 3 }))
  .map(([metric, all]) => `${metric}{${all.join(', ')}}`);

export const anyQuery = fc.letrec<{ expr: string }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(selector, name),
    tie('expr').map((inner) => `sum by (namespace) (${inner})`),
    tie('expr').map((inner) => `rate(${inner}[5m])`),
    tie('expr').map((inner) => `max_over_time((${inner})[5m:1m] offset 1m)`),
    tie('expr').map((inner) => `label_replace(${inner}, "namespace", "cart", "", "")`),
    fc
      .tuple(tie('expr'), fc.constantFrom('+', 'or on()', '> bool', 'unless # and\n', '#\r+ x\n*'), tie('expr'))
      .map((parts) => parts.join(' ')),
  ),
})).expr;
