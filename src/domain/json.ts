/** What survives a Temporal payload or an HTTP body unchanged. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
