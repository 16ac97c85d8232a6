import { TokenBuckets } from '../../../src/service/token-bucket';

const LIMITS = { capacity: 10, refillPerSecond: 2 };

describe('TokenBuckets', () => {
  it('new key: starts with the whole capacity', () => {
    expect(new TokenBuckets(LIMITS).take('a', 10, 0)).toEqual({ allowed: true, remaining: 0 });
  });

  it('keys: do not share tokens', () => {
    const buckets = new TokenBuckets(LIMITS);
    buckets.take('a', 10, 0);
    expect(buckets.take('b', 1, 0)).toEqual({ allowed: true, remaining: 9 });
  });

  it.each([
    ['nothing refilled yet: waits for the whole cost', 4, 0, false, 0, 2],
    ['half refilled: waits for the rest', 4, 1_000, false, 2, 1],
    ['less than a second missing: rounded up to 1 s', 1, 499, false, 0, 1],
    ['refilled to the cost: allowed', 4, 2_000, true, 0, undefined],
    ['long idle: refilled to the capacity and not above it', 1, 3_600_000, true, 9, undefined],
  ])('empty bucket, %s', (_name, cost, atMs, allowed, remaining, retryAfterSeconds) => {
    const buckets = new TokenBuckets(LIMITS);
    buckets.take('a', 10, 0);
    expect(buckets.take('a', cost, atMs)).toEqual(
      allowed ? { allowed, remaining } : { allowed, remaining, retryAfterSeconds },
    );
  });

  it('refused: takes no tokens', () => {
    const buckets = new TokenBuckets(LIMITS);
    buckets.take('a', 7, 0);
    buckets.take('a', 4, 0);
    expect(buckets.take('a', 3, 0)).toEqual({ allowed: true, remaining: 0 });
  });

  it.each([0.1, 1 / 3, 3.5, 7, 333.3])(
    'rate %d/s: who waits as long as told is allowed, however many small refills were added up',
    (refillPerSecond) => {
      const buckets = new TokenBuckets({ capacity: 10, refillPerSecond });
      buckets.take('a', 10, 0);
      const refused = buckets.take('a', 7, 0);
      if (refused.allowed) throw new Error('an empty bucket allowed 7');
      const waitMs = refused.retryAfterSeconds * 1_000;
      for (let part = 1; part < 97; part += 1) buckets.activeKeys((waitMs * part) / 97);
      expect(buckets.take('a', 7, waitMs).allowed).toBe(true);
    },
  );

  it('time that goes back: neither adds nor removes tokens, nor counts twice', () => {
    const buckets = new TokenBuckets(LIMITS);
    buckets.take('a', 10, 5_000);
    expect(buckets.take('a', 1, 1_000)).toMatchObject({ allowed: false, remaining: 0 });
    expect(buckets.take('a', 1, 5_499)).toMatchObject({ allowed: false });
    expect(buckets.take('a', 1, 5_500)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it.each([0, -1, 11, Number.NaN])('cost %d: RangeError that names it', (cost) => {
    expect(() => new TokenBuckets(LIMITS).take('a', cost, 0)).toThrow(`cost ${cost} must be`);
  });

  it('keys that have refilled: no longer active', () => {
    const buckets = new TokenBuckets(LIMITS);
    buckets.take('a', 1, 0);
    buckets.take('b', 10, 0);
    expect([buckets.activeKeys(0), buckets.activeKeys(500), buckets.activeKeys(5_000)]).toEqual([2, 1, 0]);
  });

  it('100,000 keys: never more than the default bound of 10,000', () => {
    const buckets = new TokenBuckets(LIMITS);
    for (let index = 0; index < 100_000; index += 1) buckets.take(`key ${index}`, 1, 0);
    expect(buckets.activeKeys(0)).toBe(10_000);
  });

  it('no room: the least recently used key is forgotten, a used one stays', () => {
    const buckets = new TokenBuckets(LIMITS, 2);
    buckets.take('a', 10, 0);
    buckets.take('b', 10, 0);
    buckets.take('a', 10, 0);
    buckets.take('c', 10, 0);
    expect(buckets.take('a', 1, 0).allowed).toBe(false);
    expect(buckets.take('b', 1, 0).allowed).toBe(true);
  });

  it('no room: a full bucket is forgotten before an older one that is empty', () => {
    const buckets = new TokenBuckets(LIMITS, 2);
    buckets.take('empty', 10, 0);
    buckets.take('full by now', 1, 0);
    buckets.take('new', 1, 500);
    expect(buckets.take('empty', 10, 500).allowed).toBe(false);
  });

  it('smaller capacity: no bucket keeps more, the refill so far counts at the old rate', () => {
    const buckets = new TokenBuckets({ capacity: 100, refillPerSecond: 10 });
    buckets.take('much', 10, 0);
    buckets.take('little', 100, 0);
    buckets.setLimits({ capacity: 20, refillPerSecond: 1 }, 500);
    expect(buckets.take('much', 1, 500)).toEqual({ allowed: true, remaining: 19 });
    expect(buckets.take('little', 1, 500)).toEqual({ allowed: true, remaining: 4 });
  });

  it('larger capacity: a key at rest has all of it at once', () => {
    const buckets = new TokenBuckets(LIMITS);
    buckets.take('a', 1, 0);
    buckets.setLimits({ capacity: 50, refillPerSecond: 2 }, 1_000);
    expect(buckets.take('a', 50, 1_000).allowed).toBe(true);
  });
});
