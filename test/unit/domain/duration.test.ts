import { parseDuration } from '../../../src/domain/duration';

it.each([
  ['500ms', 500],
  ['5s', 5_000],
  ['1.5s', 1_500],
  ['10m', 600_000],
  ['12h', 43_200_000],
  ['1d', 86_400_000],
  [' 2s ', 2_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(['', '5', 's', '-1s', '5 s', '5sec', 'NaNs', '1e3s'])('%p is not a duration', (text) => {
  expect(parseDuration(text)).toBeNull();
});
