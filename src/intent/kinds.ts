/** The kinds of document: those read now, and those of the contract that later versions bring. */
import type { SchemaNotes, Validator } from './validator.ts';
import { notesApp, notesSystem, validateApp, validateSystem } from './validators.gen.ts';

/** A kind that this version reads. */
export interface Kind {
  readonly name: 'System' | 'App';
  readonly validate: Validator;
  readonly notes: SchemaNotes;
}

/** By the word in `kind`. */
export const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['System', { name: 'System', validate: validateSystem, notes: notesSystem }],
  ['App', { name: 'App', validate: validateApp, notes: notesApp }],
]);

/** Kinds of the contract that are refused until they are built, never silently ignored. */
export const KINDS_NOT_YET: readonly string[] = ['Service', 'Preset', 'Pool', 'Agent', 'Policy', 'Model'];
