import type { Colors } from 'picocolors/types';

type Paint = (text: string) => string;
/** A cell with a colour is padded before it is painted, so that columns stay aligned. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

/** Columns aligned to the left, two spaces apart; no lines, so that awk and people can both read it. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], colors: Colors): string {
  const all: (readonly Cell[])[] = [header.map((text) => ({ text, paint: colors.dim })), ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => textOf(row[column]).length)));
  return all.map((row) => `${row.map((cell, column) => fill(cell, column, widths)).join('  ')}\n`).join('');
}

function fill(cell: Cell, column: number, widths: readonly number[]): string {
  const isLast = column === widths.length - 1;
  const text = isLast ? textOf(cell) : textOf(cell).padEnd(widths[column] ?? 0);
  return typeof cell === 'string' ? text : cell.paint(text);
}

function textOf(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  return typeof cell === 'string' ? cell : cell.text;
}
