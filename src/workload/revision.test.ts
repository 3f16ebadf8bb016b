import * as fc from 'fast-check';
import { canaryName } from '../release/stages/start.ts';
import { template } from './fixtures.ts';
import type { PodTemplate } from './objects.ts';
import { hashOf, imageOf, imagesOf, sameTemplate } from './revision.ts';

const upgraded = (image: string) => ({ ...template(image), spec: { ...template(image).spec, newDefault: true } });

describe('identity of a revision', () => {
  test('the label that a ReplicaSet adds does not make another revision', () => {
    expect(sameTemplate(template(), template('shop/checkout:1', { 'pod-template-hash': 'abc' }))).toBe(true);
  });

  test('an empty creation time, which old servers write into templates, does not either', () => {
    const old = { ...template(), metadata: { creationTimestamp: null, ...template().metadata } };
    expect(sameTemplate(template(), old)).toBe(true);
    expect(hashOf(template())).toBe(hashOf(old));
  });

  test.each<[string, PodTemplate]>([
    ['image', template('shop/checkout:2')],
    ['label', template('shop/checkout:1', { version: '2' })],
    ['annotation', { ...template(), metadata: { ...template().metadata, annotations: { a: 'b' } } }],
    ['order of containers', { ...template(), spec: { containers: [{ name: 'b' }, { name: 'a' }] } }],
  ])('another %s is another revision', (_what, other) => {
    expect(sameTemplate(template(), other)).toBe(false);
    expect(hashOf(template())).not.toBe(hashOf(other));
  });

  test('a new default of the API server changes the name, but not that two live objects are equal', () => {
    expect(hashOf(upgraded('shop/checkout:1'))).not.toBe(hashOf(template('shop/checkout:1')));
    expect(sameTemplate(upgraded('shop/checkout:1'), upgraded('shop/checkout:1'))).toBe(true);
  });
});

const nameOf = (spec: object) => hashOf({ metadata: { labels: { a: 'b' } }, spec: { ...spec, containers: [] } });

describe('names of revisions', () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 });

  test('ten characters of the Deployment controller’s alphabet, whatever the order of keys', () => {
    fc.assert(
      fc.property(json, (fields) => {
        const reversed = Object.fromEntries(Object.entries(fields).toReversed());
        expect(nameOf(fields)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
        expect(nameOf(reversed)).toBe(nameOf(fields));
      }),
    );
  });

  test('a long name of a Deployment is cut so that the whole is a valid name', () => {
    const name = canaryName(`${'a'.repeat(241)}.${'b'.repeat(11)}`, 'bcdfghjklm');
    expect(name).toBe(`${'a'.repeat(241)}-bcdfghjklm`);
    expect(canaryName('checkout', 'bcdfghjklm')).toBe('checkout-bcdfghjklm');
    expect(canaryName('c'.repeat(253), 'bcdfghjklm')).toHaveLength(253);
  });

  test('images are those of the containers, in their order', () => {
    const two = {
      spec: {
        containers: [
          { name: 'a', image: 'x:1' },
          { name: 'b', image: 'y:2' },
        ],
      },
    };
    expect([imageOf(two), imagesOf(two)]).toEqual(['x:1', 'x:1, y:2']);
    expect(imageOf({ spec: { containers: [] } })).toBe('');
  });
});
