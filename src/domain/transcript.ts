import type { HistoryEvent } from './history-event';
import type { Json } from './json';
import { isRecord } from './json';
import type { ToolResult } from './tool';
import { readProposeInput, readText, readTexts, readToolResult } from './trajectory-payloads';

/** A message as the Messages API takes it. */
export interface TranscriptMessage {
  readonly role: 'user' | 'assistant';
  readonly content: readonly Json[];
}

/** A model's transcript of one attempt, as far as its history tells it. */
export interface Transcript {
  /** See `ModelTurn.version`. */
  readonly version: string;
  /** The last turn whose reply it holds. */
  readonly turn: number;
  readonly messages: readonly TranscriptMessage[];
}

/** The model's part of a proposal, as far as a transcript needs it; content is passed on untouched. */
export interface TranscriptTurn {
  readonly version: string;
  readonly opening: string | null;
  readonly content: readonly Json[];
}

/**
 * The transcript of an attempt, rebuilt from the events of the ticket's last run: a run that continues another begins a
 * transcript of its own, or it would grow as the history did. Null before the model's first reply in it, and when a part of it
 * cannot be read: a server refuses calls without answers. The same events give the same messages, byte for byte: replies as
 * they came, user turns as `userTurn` made them.
 */
export function foldTranscript(events: readonly HistoryEvent[], attempt: number): Transcript | null {
  const asked = new Map<number, Asked>();
  let transcript: Transcript | null = null;
  for (const event of events) {
    if (event.type === 'started') {
      asked.clear();
      transcript = null;
    }
    if (event.type === 'activity_scheduled' && event.activity === 'proposeStep') {
      const question = readAsked(event.input[0], attempt);
      if (question) asked.set(event.id, question);
    }
    if (event.type !== 'activity_completed') continue;
    const question = asked.get(event.scheduledId);
    const reply = question && readTurn(event.result);
    if (!reply) continue;
    const isWhole: boolean =
      reply.opening !== null || (transcript !== null && isAnsweredBy(transcript, question));
    transcript = isWhole ? extendTranscript(transcript, question, reply) : null;
  }
  return transcript;
}

/** Whether the next turn of the loop answers every call of the last reply. */
export function isAnsweredBy(
  transcript: Transcript,
  { turn, results }: Pick<Asked, 'turn' | 'results'>,
): boolean {
  const answered = new Set(results.map(({ callId }) => callId));
  return transcript.turn === turn - 1 && openCalls(transcript).every((id) => answered.has(id));
}

/** Adds a turn: what was asked in it, and the reply. */
export function extendTranscript(before: Transcript | null, asked: Asked, reply: TranscriptTurn): Transcript {
  const { version, opening, content } = reply;
  const question = opening === null ? userTurn(asked.results, asked.notes) : openingTurn(opening);
  const earlier = opening === null ? (before?.messages ?? []) : [];
  return {
    version,
    turn: asked.turn,
    messages: [...earlier, question, { role: 'assistant', content }],
  };
}

/** What a turn of the loop tells the model. */
export interface Asked {
  readonly turn: number;
  readonly results: readonly ToolResult[];
  readonly notes: readonly string[];
}

export function openingTurn(text: string): TranscriptMessage {
  return { role: 'user', content: [{ type: 'text', text }] };
}

/**
 * Results first, one per call. News goes into the last of them as a block of its own: text behind tool results teaches a
 * model to end its turn.
 */
export function userTurn(results: readonly ToolResult[], notes: readonly string[]): TranscriptMessage {
  const news = notes.length === 0 ? [] : [{ type: 'text', text: `News:\n${notes.join('\n')}` }];
  if (results.length === 0) {
    return { role: 'user', content: news.length > 0 ? news : [{ type: 'text', text: 'Go on.' }] };
  }
  const content = results.map(({ callId, content: text, isError }, index) => ({
    type: 'tool_result',
    tool_use_id: callId,
    content: [
      { type: 'text', text: text === '' ? '(no output)' : text },
      ...(index === results.length - 1 ? news : []),
    ],
    is_error: isError,
  }));
  return { role: 'user', content };
}

/** IDs of the calls in the transcript's last reply. */
export function openCalls({ messages }: Transcript): readonly string[] {
  return (messages.at(-1)?.content ?? []).flatMap((block) => {
    const id = isRecord(block) && block['type'] === 'tool_use' ? block['id'] : null;
    return typeof id === 'string' ? [id] : [];
  });
}

function readAsked(input: Json | undefined, attempt: number): Asked | null {
  const header = readProposeInput(input);
  if (!header || header.brain !== 'claude' || header.attempt !== attempt) return null;
  const { results = null, notes = null } = isRecord(input ?? null) ? (input as Record<string, Json>) : {};
  return {
    turn: header.turn,
    results: Array.isArray(results) ? results.flatMap((result: Json) => readToolResult(result) ?? []) : [],
    notes: readTexts(notes) ?? [],
  };
}

/** By hand: a schema would rebuild the content, and it must stay as it is. */
function readTurn(result: Json): TranscriptTurn | null {
  const model = isRecord(result) ? (result['model'] ?? null) : null;
  if (!isRecord(model)) return null;
  const { version, content } = model;
  if (typeof version !== 'string' || !Array.isArray(content)) return null;
  return { version, opening: readText(model['opening']), content: content as readonly Json[] };
}
