const ESC = String.fromCharCode(0x1b);
const BEL = String.fromCharCode(0x07);
/**
 * OSC, DCS and friends, CSI, then two-character escapes. A string sequence without its end stops at the line's end, so
 * that it cannot swallow the evidence after it.
 */
const ANSI = new RegExp(
  [
    `${ESC}\\][^${BEL}${ESC}\\n]*(?:${BEL}|${ESC}\\\\)?`,
    `${ESC}[PX^_][^${ESC}\\n]*(?:${ESC}\\\\)?`,
    `(?:${ESC}\\[|\\u009b)[0-?]*[ -/]*[@-~]?`,
    `${ESC}[ -/]*[0-~]?`,
  ].join('|'),
  'g',
);
/** What a person does not see: control, zero-width, bidi and tag characters, variation selectors, fillers. */
const INVISIBLE =
  /[^\P{Cc}\n\t]|\p{Cf}|[\u{E0000}-\u{E007F}]|[\u{FE00}-\u{FE0F}]|[\u{E0100}-\u{E01EF}]|[\u115F\u1160\u3164\uFFA0]/gu;

/**
 * Text as a person would see it: ANSI sequences, control, zero-width and bidi characters removed, line ends made `\n`.
 * Linear in the length of the text.
 */
export function stripInvisible(text: string): string {
  return toWellFormed(text)
    .replace(ANSI, '')
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replace(INVISIBLE, '');
}

/** Half of a surrogate pair, as a cut through a character leaves it, is replaced: no text that a server must take. */
export function toWellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd');
}

const INSTRUCTIONS: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|system|other)\b.{0,40}\b(?:instruction|prompt|rule|direction|guideline|polic)/,
  /\b(?:new|updated|revised|real|actual) (?:system )?(?:instruction|prompt|task|objective)s?\s?[:=]/,
  /\byou are now\b|\bfrom now on,? you\b|\byou (?:must|should|have to) (?:now )?(?:run|execute|call|delete|approve|restart|stop|disable|close)\b/,
  /<\/?(?:system|assistant|user|instructions?|tool_result|tool_use|function_calls?)\b[^<>]{0,80}>/,
  /\[\/?(?:inst|system)\]|<\|(?:im_start|im_end|system|user|assistant)\|>/,
  /\b(?:do not|don't|never) (?:tell|inform|mention|reveal|report)\b.{0,40}\b(?:user|person|people|human|operator|anyone|anybody)\b/,
  /\b(?:system prompt|prompt injection|jailbreak)\b/,
  /\b(?:note|message|attention|instructions?) (?:to|for) (?:the )?(?:ai|llm|agent|assistant|model|claude)\b/,
];
/** Longer texts are only looked at so far; every pattern has bounded gaps, so the cost stays linear. */
const MAX_INSPECTED = 256 * 1024;

/** Whether text from outside reads like an order to the agent. A hint for people: it changes nothing else. */
export function looksLikeInstruction(text: string): boolean {
  const plain = text.slice(0, MAX_INSPECTED).normalize('NFKC').toLowerCase().replace(/\s+/g, ' ');
  return INSTRUCTIONS.some((pattern) => pattern.test(plain));
}
