/** What may be asked about cost and prices, and what it means with the defaults filled in. */
import { effectiveSpec } from './effective.ts';
import { metricsSchema } from './metric.ts';
import { pinnedSpecSchema } from './pinned.ts';

const price = { name: 'llm-tokens', counter: 'llm_tokens_total{model="large"}', unitPrice: 0.000002 };

function why(...metrics: readonly object[]): string | undefined {
  return metricsSchema
    .safeParse(metrics)
    .error?.issues.map(({ message }) => message)
    .join(' ');
}

test('cost and prices stand beside what says whether requests go wrong, and have defaults of their own', () => {
  const metrics = [
    { errors: {} },
    { cost: {} },
    { price },
    { price: { ...price, name: 'sms', maxExtraPerMonth: 0, do: 'rollback' as const } },
  ];
  expect(why(...metrics)).toBeUndefined();
  const spec = effectiveSpec({
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
    analysis: { metrics },
  });
  expect(spec.analysis.metrics.slice(1)).toEqual([
    { kind: 'cost', tolerate: '15%', maxExtraPerMonth: 10, do: 'hold' },
    { kind: 'price', ...price, tolerate: '15%', maxExtraPerMonth: 10, do: 'hold' },
    { kind: 'price', ...price, name: 'sms', tolerate: '15%', maxExtraPerMonth: 0, do: 'rollback' },
  ]);
  expect(pinnedSpecSchema.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
});

test.each<[string, readonly object[], RegExp]>([
  ['cost alone', [{ cost: {} }], /do not say whether the new version is worse/],
  ['a price alone', [{ price }], /do not say whether the new version is worse/],
  ['cost twice', [{ errors: {} }, { cost: {} }, { cost: {} }], /at most once/],
  ['two prices of one name', [{ errors: {} }, { price }, { price }], /a name of its own/],
  [
    'a price with the name of a query',
    [{ errors: {} }, { price }, { query: { name: 'llm-tokens', value: 'x', max: 1 } }],
    /a name of its own/,
  ],
  ['a price called cost', [{ errors: {} }, { price: { ...price, name: 'cost' } }], /names of other metrics/],
  ['a query called cost', [{ query: { name: 'cost', bad: 'a', total: 'b' } }], /names of other metrics/],
  ['two in one entry', [{ errors: {}, cost: {} }], /one of errors, latency, restarts, query, cost and price/],
  ['a negative price', [{ errors: {} }, { price: { ...price, unitPrice: -1 } }], /./],
  ['points, which money has none of', [{ errors: {} }, { cost: { tolerate: '1pp' } }], /./],
])('%s is refused', (_, metrics, words) => {
  expect(why(...metrics)).toMatch(words);
});
