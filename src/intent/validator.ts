/** What the generated validators take and give; see schemas/validators.ts, which writes validators.gen.ts. */

/** One complaint of a validator, as ajv words it. */
export interface SchemaError {
  readonly keyword: string;
  /** JSON pointer into the document. */
  readonly instancePath: string;
  /** JSON pointer into the schema. */
  readonly schemaPath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  /** Set on complaints about a key's own form. */
  readonly propertyName?: string;
}

/** True when the value fits; it also fills the schema's defaults into the value. All complaints are in `errors`. */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** What messages need from a schema, by the pointer that a complaint carries. */
export interface SchemaNotes {
  /** Keys known where an unknown one was found, those not supported yet left out. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** The sentence that explains a pattern. */
  readonly patterns: Readonly<Record<string, string>>;
}
