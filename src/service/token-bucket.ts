export interface Limits {
  /** Most tokens a bucket holds; also what a new key starts with. */
  readonly capacity: number;
  readonly refillPerSecond: number;
}

export type TakeResult =
  | { readonly allowed: true; readonly remaining: number }
  | { readonly allowed: false; readonly remaining: number; readonly retryAfterSeconds: number };

interface Bucket {
  tokens: number;
  updatedAtMs: number;
}

const MAX_KEYS = 10_000;
/** How many of the oldest keys are looked at for one that is full again, so that an insert stays cheap. */
const EVICTION_LOOK = 32;
/** Sums of fractions miss whole tokens by less than this; without it a client that waits exactly as told is refused. */
const ROUNDING = 1e-6;

/**
 * One token bucket per key, at most `maxKeys` of them. Time is the caller's: milliseconds of a monotonic clock.
 * A full bucket equals an absent one, so full ones are forgotten first, then the least recently used.
 */
export class TokenBuckets {
  /** In order of use, the oldest first. */
  readonly #buckets = new Map<string, Bucket>();
  #limits: Limits;

  constructor(
    limits: Limits,
    readonly maxKeys = MAX_KEYS,
  ) {
    this.#limits = limits;
  }

  /** Takes `cost` tokens, or none and says after how many whole seconds there are enough. Throws RangeError unless 0 < cost <= capacity. */
  take(key: string, cost: number, nowMs: number): TakeResult {
    const { capacity, refillPerSecond } = this.#limits;
    if (!(cost > 0 && cost <= capacity)) {
      throw new RangeError(`cost ${cost} must be above 0 and at most the capacity ${capacity}.`);
    }
    const bucket = this.#use(key, nowMs);
    const missing = cost - bucket.tokens;
    if (missing > ROUNDING) {
      const seconds = Math.ceil(missing / refillPerSecond - ROUNDING);
      return { allowed: false, remaining: wholeTokens(bucket), retryAfterSeconds: Math.max(1, seconds) };
    }
    bucket.tokens = Math.max(0, -missing);
    return { allowed: true, remaining: wholeTokens(bucket) };
  }

  /** What has been refilled so far counts at the old rate; no bucket keeps more than the new capacity. */
  setLimits(limits: Limits, nowMs: number): void {
    this.activeKeys(nowMs);
    this.#limits = limits;
    for (const bucket of this.#buckets.values()) bucket.tokens = Math.min(bucket.tokens, limits.capacity);
  }

  /** Number of keys that miss tokens; forgets the others. */
  activeKeys(nowMs: number): number {
    for (const [key, bucket] of this.#buckets) this.#forgetIfFull(key, bucket, nowMs);
    return this.#buckets.size;
  }

  #use(key: string, nowMs: number): Bucket {
    const known = this.#buckets.get(key);
    if (known) {
      this.#refill(known, nowMs);
      this.#buckets.delete(key);
    } else if (this.#buckets.size >= this.maxKeys) {
      this.#evict(nowMs);
    }
    const bucket = known ?? { tokens: this.#limits.capacity, updatedAtMs: nowMs };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #evict(nowMs: number): void {
    let looked = 0;
    for (const [key, bucket] of this.#buckets) {
      if (this.#forgetIfFull(key, bucket, nowMs)) return;
      looked += 1;
      if (looked === EVICTION_LOOK) break;
    }
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }

  #forgetIfFull(key: string, bucket: Bucket, nowMs: number): boolean {
    this.#refill(bucket, nowMs);
    return bucket.tokens >= this.#limits.capacity && this.#buckets.delete(key);
  }

  #refill(bucket: Bucket, nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - bucket.updatedAtMs);
    const refilled = bucket.tokens + (elapsedMs / 1_000) * this.#limits.refillPerSecond;
    bucket.tokens = Math.min(this.#limits.capacity, refilled);
    bucket.updatedAtMs += elapsedMs;
  }
}

function wholeTokens(bucket: Bucket): number {
  return Math.floor(bucket.tokens + ROUNDING);
}
