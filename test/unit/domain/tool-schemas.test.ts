import type { Json } from '../../../src/domain/json';
import { isRecord } from '../../../src/domain/json';
import { TOOLS } from '../../../src/domain/tool';
import { TOOL_SCHEMAS, TOOL_SCHEMAS_VERSION } from '../../../src/domain/tool-schemas';

/** Every schema inside one, itself included. */
function walk(schema: Json): { readonly [key: string]: Json }[] {
  if (Array.isArray(schema)) return schema.flatMap((item: Json) => walk(item));
  if (!isRecord(schema)) return [];
  return [schema, ...Object.values(schema).flatMap(walk)];
}
const schemas = TOOL_SCHEMAS.flatMap(({ inputSchema }) => walk({ ...inputSchema }));

describe('TOOL_SCHEMAS', () => {
  it('has every tool once', () => {
    expect(TOOL_SCHEMAS.map(({ name }) => name).sort()).toEqual([...TOOLS].sort());
  });

  it('keeps its order', () => {
    expect(TOOL_SCHEMAS.map(({ name }) => name)).toEqual([
      'inspect_service',
      'what_changed',
      'read_file',
      'list_files',
      'search_code',
      'query_logs',
      'query_metrics',
      'run_command',
      'service_control',
      'edit_file',
      'restore_file',
      'undo_edits',
      'add_ticket_note',
      'update_ticket_status',
    ]);
  });

  it('has the pinned version: a change of any tool breaks the cache of running transcripts, so change it knowingly', () => {
    expect(TOOL_SCHEMAS_VERSION).toBe('640a9068e2edbf1a');
  });

  it('says of each tool what it can do', () => {
    const named = (risk: string) => TOOL_SCHEMAS.filter((tool) => tool.risk === risk).map(({ name }) => name);
    expect(named('act')).toEqual(['service_control', 'edit_file', 'restore_file', 'undo_edits']);
    expect(named('ticket')).toEqual(['add_ticket_note', 'update_ticket_status']);
    expect(named('read')).toHaveLength(8);
  });

  it('stays within the limits of strict tool use', () => {
    const optional = schemas
      .filter((schema) => schema['type'] === 'object')
      .map(
        ({ properties, required }) =>
          Object.keys(isRecord(properties ?? null) ? (properties as object) : {}).length -
          (required as Json[]).length,
      );
    expect(TOOL_SCHEMAS.length).toBeLessThanOrEqual(20);
    expect(optional.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(24);
    expect(
      schemas.filter((schema) => 'anyOf' in schema || Array.isArray(schema['type'])).length,
    ).toBeLessThanOrEqual(16);
    for (const { name } of TOOL_SCHEMAS) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });

  it('closes every object and uses no keyword that structured outputs do not support', () => {
    for (const schema of schemas.filter((one) => one['type'] === 'object')) {
      expect(schema['additionalProperties']).toBe(false);
    }
    const known = [
      'type',
      'properties',
      'required',
      'additionalProperties',
      'description',
      'items',
      'enum',
      'anyOf',
    ];
    const isSchema = (one: object) => 'type' in one || 'anyOf' in one;
    const used = schemas.filter(isSchema).flatMap((schema) => Object.keys(schema));
    expect([...new Set(used)].filter((key) => !known.includes(key))).toEqual([]);
  });
});
