import { invalid } from '../refusal';
import type { Refusal } from '../refusal';
import { cacheControlOf, turnsOf } from '../request';
import type { ClaudeRequest } from '../request';
import { countSchema, problemOfSchema } from '../json-schema';
import type { Rule } from './rule';

const MAX_STRICT_TOOLS = 20;
const MAX_OPTIONAL_PARAMETERS = 24;
const MAX_UNION_PARAMETERS = 16;
const MAX_BREAKPOINTS = 4;

export const toolNamesUnique: Rule = ({ tools = [] }) => {
  const names = tools.map(({ name }) => name);
  return new Set(names).size === names.length ? null : invalid('tools: Tool names must be unique.');
};

export const strictSchemasClosed: Rule = ({ tools = [] }) => {
  for (const [index, { strict, name, input_schema: schema }] of tools.entries()) {
    const problem = strict === true ? problemOfSchema(schema) : null;
    if (problem !== null) return invalid(`tools.${index}.custom: (${name}) ${problem}`);
  }
  return null;
};

/** Over all strict schemas of a request together. */
export const strictSchemasSmall: Rule = ({ tools = [], output_config: output }) => {
  const strict = tools.filter((tool) => tool.strict === true);
  if (strict.length > MAX_STRICT_TOOLS) return invalid(`tools: at most ${MAX_STRICT_TOOLS} strict tools`);
  const schemas = [...strict.map((tool) => tool.input_schema), output?.format?.schema ?? {}];
  const counts = schemas.map(countSchema);
  const optional = counts.reduce((sum, count) => sum + count.optional, 0);
  const unions = counts.reduce((sum, count) => sum + count.unions, 0);
  if (optional > MAX_OPTIONAL_PARAMETERS) {
    return invalid(
      `Schemas contains too many optional parameters (${optional}), limit ${MAX_OPTIONAL_PARAMETERS}`,
    );
  }
  if (unions <= MAX_UNION_PARAMETERS) return null;
  return invalid(
    `Schemas contains too many parameters with union types (${unions}), limit ${MAX_UNION_PARAMETERS}`,
  );
};

export const toolChoicePossible: Rule = ({ tools = [], tool_choice: choice }, { model }) => {
  if (choice === undefined) return null;
  if (tools.length === 0) return invalid('tool_choice: may only be specified while providing tools');
  const isForced = choice.type === 'any' || choice.type === 'tool';
  if (isForced && !model.canForceTools) {
    return invalid(
      `tool_choice: \`${choice.type}\` is not supported by ${model.id}; use \`auto\` or \`none\``,
    );
  }
  if (choice.type !== 'tool' || tools.some(({ name }) => name === choice.name)) return null;
  return invalid(`tool_choice.name: Tool '${choice.name}' not found in provided tools`);
};

export const toolsDeclaredForHistory: Rule = (request) => {
  if ((request.tools ?? []).length > 0) return null;
  const hasCalls = turnsOf(request).some(({ blocks }) =>
    blocks.some(({ block }) => block.type === 'tool_use'),
  );
  return hasCalls ? invalid('tools: required when the messages contain `tool_use` blocks') : null;
};

export const outputSchemaClosed: Rule = ({ output_config: output }) => {
  const problem = output?.format ? problemOfSchema(output.format.schema) : null;
  return problem === null ? null : invalid(`output_config.format.schema: ${problem}`);
};

export const noFormatWithCitations: Rule = (request) => {
  if (!request.output_config?.format) return null;
  const isCited = turnsOf(request).some(({ blocks }) =>
    blocks.some(
      ({ block }) =>
        (block.type === 'document' || block.type === 'search_result') && block.citations?.enabled === true,
    ),
  );
  return isCited ? invalid('output_config.format: incompatible with citations') : null;
};

export const breakpointsFew: Rule = (request) => {
  const ttls = breakpointsOf(request);
  if (ttls.length > MAX_BREAKPOINTS) {
    return invalid(
      `A maximum of ${MAX_BREAKPOINTS} blocks with cache_control may be provided. Found ${ttls.length}.`,
    );
  }
  return refuseShortBeforeLong(ttls);
};

function refuseShortBeforeLong(ttls: readonly string[]): Refusal | null {
  const short = ttls.indexOf('5m');
  return short < 0 || !ttls.slice(short).includes('1h')
    ? null
    : invalid("cache_control.ttl: a ttl='1h' block must not come after a ttl='5m' block");
}

/** In the order of the prefix: tools, system, messages, and last the one that goes to the last block by itself. */
function breakpointsOf(request: ClaudeRequest): string[] {
  const { tools = [], system, cache_control: last } = request;
  const marks = [
    ...tools.map((tool) => tool.cache_control),
    ...(Array.isArray(system) ? system.map((block) => block.cache_control) : []),
    ...turnsOf(request).flatMap((turn) => turn.blocks.map(({ block }) => cacheControlOf(block))),
    last,
  ];
  return marks.flatMap((mark) => (mark ? [mark.ttl ?? '5m'] : []));
}
