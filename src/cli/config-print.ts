import { stringify } from 'yaml';
import { maskedConfig } from '../config/masked-config';
import type { CliContext } from './context';
import { printJson } from './context';
import { EXIT } from './exit-codes';

/** The effective configuration, secrets masked. */
export function configPrint(context: CliContext, input: { json?: boolean }): Promise<number> {
  const config = context.config();
  context.err.write(`${config.file ?? 'built-in demo configuration (there is no harness.yaml)'}\n`);
  const shown = maskedConfig(config);
  if (input.json) printJson(context, shown);
  else context.out.write(stringify(shown, { aliasDuplicateObjects: false }));
  return Promise.resolve(EXIT.ok);
}
