import type { JsonSchema } from './json-schema';
import { isSchema, propertiesOf, resolveRef, schemasIn } from './json-schema';
import { STAND_IN_LABEL } from './script';

/** A value that fits the schema: says yes, is fairly sure, and names the evidence wherever there is room for text. */
export function exampleOf(
  schema: JsonSchema,
  evidenceIds: readonly string[],
  root = schema,
  name = '',
): unknown {
  const ref = schema['$ref'];
  if (typeof ref === 'string') return exampleOf(resolveRef(ref, root) ?? {}, evidenceIds, root, name);
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const [alternative] = schemasIn(schema['anyOf']);
  if (alternative) return exampleOf(alternative, evidenceIds, root, name);
  const { type, items } = schema;
  switch (Array.isArray(type) ? type[0] : type) {
    case 'boolean':
      return true;
    case 'integer':
      return 1;
    case 'number':
      return 0.8;
    case 'null':
      return null;
    case 'array': {
      const example = isSchema(items) ? exampleOf(items, evidenceIds, root, name) : null;
      const isList = isSchema(items) && items['type'] === 'string' && /evidence|cite|source/i.test(name);
      return isList && evidenceIds.length > 0 ? evidenceIds : [example];
    }
    case 'object':
      return Object.fromEntries(
        Object.entries(propertiesOf(schema)).map(([key, child]) => [
          key,
          exampleOf(child, evidenceIds, root, key),
        ]),
      );
    default:
      return `${STAND_IN_LABEL}: read from ${evidenceIds.map((id) => `[${id}]`).join(' ') || 'no evidence'}`;
  }
}
