import { userInfo } from 'node:os';

/** A claim, not a proof; the API stores it beside how the caller was authenticated. */
export function whoAmI(): string {
  try {
    return userInfo().username;
  } catch {
    return 'person';
  }
}
