import type { Document, Node } from 'yaml';
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { errorText } from './error-text';
import type { Problem, ProblemPath } from './problems';
import { formatPath } from './problems';

/** A parsed YAML file: its value, what is wrong with it as YAML, and where each entry stands. */
export interface YamlSource {
  readonly value: unknown;
  /** Rendered `line:column: message`. */
  readonly errors: readonly string[];
  /** `line:column` of a problem; of the nearest entry above it when the entry itself is missing. */
  locate(problem: Pick<Problem, 'path' | 'at'>): string;
}

export function parseYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const errors = document.errors.map((error) => {
    const [offset] = error.pos;
    if (error.code !== 'DUPLICATE_KEY') return `${at(offset)}: not valid YAML: ${error.message}`;
    const key = /^[^\s:]+/.exec(text.slice(offset))?.[0] ?? '';
    return `${at(offset)}: duplicate key "${key}"; keep one of them`;
  });
  return {
    ...toValue(document, errors),
    locate: ({ path, at: part }) => at(offsetOf(document, path, part)),
  };
}

function toValue(document: Document.Parsed, errors: readonly string[]): Pick<YamlSource, 'value' | 'errors'> {
  if (errors.some((error) => error.includes('not valid YAML'))) return { value: undefined, errors };
  try {
    return { value: document.toJS() ?? {}, errors };
  } catch (error) {
    // Aliases that expand without end, or to nothing.
    const message = errorText(error);
    return { value: undefined, errors: [...errors, `1:1: not valid YAML: ${message}`] };
  }
}

function offsetOf(document: Document.Parsed, path: ProblemPath, part: Problem['at']): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, key] of path.entries()) {
    const step = childOf(resolve(node, document), key);
    if (step === null) break;
    const isLast = index === path.length - 1;
    const ownOffset =
      isLast && part === 'key' ? startOf(step.key) : (startOf(step.value) ?? startOf(step.key));
    offset = ownOffset ?? offset;
    node = step.value;
  }
  return offset;
}

function childOf(node: unknown, key: string | number): { key: unknown; value: unknown } | null {
  if (isSeq(node)) return { key: null, value: node.items[Number(key)] };
  if (!isMap(node)) return null;
  const pair = node.items.find(
    (item) => isPair(item) && String(isScalar(item.key) ? item.key.value : item.key) === String(key),
  );
  return pair ? { key: pair.key, value: pair.value } : null;
}

function resolve(node: unknown, document: Document.Parsed): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function startOf(node: unknown): number | null {
  const range = typeof node === 'object' && node !== null ? (node as Partial<Node>).range : null;
  return range ? range[0] : null;
}

/** Positions of a configuration that is no file: the path is all there is. */
export function withoutPositions(value: unknown): YamlSource {
  return { value, errors: [], locate: ({ path }) => formatPath(path) || 'top' };
}
