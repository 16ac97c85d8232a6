/** The part of JSON schema that structured outputs know, and no more. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const UNSUPPORTED = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'oneOf',
  'not',
  'if',
];

/** Why the API would not compile the schema; null when it would. */
export function problemOfSchema(schema: JsonSchema): string | null {
  return findProblem(schema, schema, []);
}

function findProblem(schema: JsonSchema, root: JsonSchema, through: readonly string[]): string | null {
  const ref = schema['$ref'];
  if (typeof ref === 'string') {
    if (through.includes(ref)) return `recursive schemas are not supported (${ref})`;
    const target = resolveRef(ref, root);
    return target === null
      ? `$ref ${ref} does not lead anywhere`
      : findProblem(target, root, [...through, ref]);
  }
  const keyword = UNSUPPORTED.find((name) => name in schema);
  if (keyword !== undefined) return `property '${keyword}' is not supported`;
  const minItems = schema['minItems'];
  if (typeof minItems === 'number' && minItems > 1)
    return "'minItems' values other than 0 or 1 are not supported";
  if (schema['type'] === 'object' && schema['additionalProperties'] !== false) {
    return "For 'object' type, 'additionalProperties' must be explicitly set to false";
  }
  for (const child of childrenOf(schema)) {
    const problem = findProblem(child, root, through);
    if (problem !== null) return problem;
  }
  return null;
}

/** How many properties may be left out, and how many have more than one type. */
export function countSchema(schema: JsonSchema): { readonly optional: number; readonly unions: number } {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const optional = Object.keys(propertiesOf(schema)).filter((name) => !required.includes(name)).length;
  const unions = Array.isArray(schema['anyOf']) || Array.isArray(schema['type']) ? 1 : 0;
  return childrenOf(schema)
    .map(countSchema)
    .reduce(
      (sum, child) => ({ optional: sum.optional + child.optional, unions: sum.unions + child.unions }),
      {
        optional,
        unions,
      },
    );
}

/** Where the value does not fit; null when it does. */
export function mismatch(value: unknown, schema: JsonSchema, root = schema, at = 'input'): string | null {
  const ref = schema['$ref'];
  if (typeof ref === 'string') return mismatch(value, resolveRef(ref, root) ?? {}, root, at);
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return `${at} is none of the enum`;
  if ('const' in schema && schema['const'] !== value) return `${at} is not the constant`;
  const alternatives = schemasIn(schema['anyOf']);
  if (alternatives.length > 0 && alternatives.every((one) => mismatch(value, one, root, at) !== null)) {
    return `${at} fits none of the alternatives`;
  }
  const { type } = schema;
  const types = (Array.isArray(type) ? type : [type]).filter((name) => typeof name === 'string');
  if (types.length > 0 && !types.some((name) => hasType(value, name))) {
    return `${at} is not of type ${types.join('|')}`;
  }
  return mismatchInside(value, schema, root, at);
}

function mismatchInside(value: unknown, schema: JsonSchema, root: JsonSchema, at: string): string | null {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!isSchema(items)) return null;
    return firstOf(value, (item, index) => mismatch(item, items, root, `${at}.${index}`));
  }
  if (!isSchema(value)) return null;
  const properties = propertiesOf(schema);
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  const missing = required.find((name) => !(name in value));
  if (missing !== undefined) return `${at}.${missing} is missing`;
  return firstOf(Object.entries(value), ([name, item]) => {
    const child = properties[name];
    if (child) return mismatch(item, child, root, `${at}.${name}`);
    return schema['additionalProperties'] === false ? `${at}.${name} is not in the schema` : null;
  });
}

function firstOf<T>(list: readonly T[], find: (item: T, index: number) => string | null): string | null {
  for (const [index, item] of list.entries()) {
    const found = find(item, index);
    if (found !== null) return found;
  }
  return null;
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isSchema(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

export function resolveRef(ref: string, root: JsonSchema): JsonSchema | null {
  if (!ref.startsWith('#/')) return null;
  let found: unknown = root;
  for (const key of ref.slice(2).split('/')) found = isSchema(found) ? found[key] : null;
  return isSchema(found) ? found : null;
}

function childrenOf(schema: JsonSchema): JsonSchema[] {
  const { items } = schema;
  return [
    ...Object.values(propertiesOf(schema)),
    ...(isSchema(items) ? [items] : []),
    ...schemasIn(schema['anyOf']),
    ...schemasIn(schema['allOf']),
  ];
}

export function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const { properties } = schema;
  if (!isSchema(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).filter((entry): entry is [string, JsonSchema] => isSchema(entry[1])),
  );
}

export function schemasIn(list: unknown): JsonSchema[] {
  return Array.isArray(list) ? list.filter(isSchema) : [];
}

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
