/** Cuts a byte stream into lines of bounded length. Pure; knows nothing of files. */

export interface LineCutter {
  /** The lines that these bytes complete. */
  push(bytes: Uint8Array): readonly string[];
  /** What is left without a line end, or null. The cutter is empty afterwards. */
  end(): string | null;
}

/** A longer line comes in pieces, so that one endless line cannot fill memory. */
const MAX_LINE = 16_384;

export function createLineCutter(maxLength: number = MAX_LINE): LineCutter {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  return {
    push(bytes) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      const lines = parts.flatMap((line) =>
        pieces(line.endsWith('\r') ? line.slice(0, -1) : line, maxLength),
      );
      while (rest.length > maxLength) {
        lines.push(rest.slice(0, maxLength));
        rest = rest.slice(maxLength);
      }
      return lines;
    },
    end() {
      const left = rest + decoder.decode();
      rest = '';
      return left === '' ? null : left;
    },
  };
}

function pieces(line: string, maxLength: number): string[] {
  if (line.length <= maxLength) return [line];
  const all: string[] = [];
  for (let at = 0; at < line.length; at += maxLength) all.push(line.slice(at, at + maxLength));
  return all;
}
