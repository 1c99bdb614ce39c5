import { Compatibility } from '@confluentinc/schemaregistry/dist/schemaregistry-client.js';
import { messageOf, TidemarkError } from '../errors.js';
import { registryFailure, statusOf, type Registry } from './registry.js';

export interface SubjectSpec {
  /** `<topic>-value`, see subjectOf. */
  readonly subject: string;
  /** The Avro schema as an object. */
  readonly schema: object;
}

export interface RegisteredSubject {
  readonly subject: string;
  readonly id: number;
  /** False where the subject had this schema already. */
  readonly created: boolean;
}

/** Levels under which a new schema reads what the last one wrote. */
const READS_OLD: ReadonlySet<string> = new Set([
  Compatibility.BACKWARD, Compatibility.BACKWARD_TRANSITIVE, Compatibility.FULL, Compatibility.FULL_TRANSITIVE,
]);

/**
 * Brings each subject to BACKWARD compatibility (a stricter level is kept) and registers its schema where the registry
 * finds it compatible. What is there already is left as it is, so this may run at every start.
 * @throws TidemarkError SCHEMA_INCOMPATIBLE with the registry's reason, REGISTRY_UNREACHABLE
 */
export async function registerSubjects(registry: Registry, specs: readonly SubjectSpec[]): Promise<RegisteredSubject[]> {
  const registered: RegisteredSubject[] = [];
  for (const spec of specs) {
    await requireBackward(registry, spec.subject);
    registered.push(await registerSchema(registry, spec));
  }
  return registered;
}

/** The ids by subject, for producers. */
export function idsOf(registered: readonly RegisteredSubject[]): Map<string, number> {
  return new Map(registered.map(({ subject, id }) => [subject, id]));
}

async function requireBackward(registry: Registry, subject: string): Promise<void> {
  const level = await levelOf(registry, subject);
  if (level !== undefined && READS_OLD.has(level)) return;
  try {
    await registry.client.updateCompatibility(subject, Compatibility.BACKWARD);
  } catch (error) {
    // 409 where another process has set it in the same moment
    const now = statusOf(error) === 409 ? await levelOf(registry, subject) : undefined;
    if (now === undefined || !READS_OLD.has(now)) throw registryFailure(registry, `set ${subject} to BACKWARD`, error);
    return;
  }
  if (level !== undefined) registry.log.warn('compatibility_raised', { subject, from: level, to: Compatibility.BACKWARD });
}

/** The subject's own level; undefined where the registry's default holds. */
async function levelOf(registry: Registry, subject: string): Promise<string | undefined> {
  try {
    return await registry.client.getCompatibility(subject);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw registryFailure(registry, `compatibility of ${subject}`, error);
  }
}

async function registerSchema(registry: Registry, { subject, schema }: SubjectSpec): Promise<RegisteredSubject> {
  const info = { schemaType: 'AVRO', schema: JSON.stringify(schema) };
  const known = await idOf(registry, subject, info);
  if (known !== undefined) return { subject, id: known, created: false };
  let id: number;
  try {
    id = await registry.client.register(subject, info);
  } catch (error) {
    const meanwhile = await idOf(registry, subject, info).catch(() => undefined);
    if (meanwhile !== undefined) return { subject, id: meanwhile, created: false }; // another process has registered it
    const status = statusOf(error);
    if (status === 409 || status === 422)
      throw new TidemarkError('SCHEMA_INCOMPATIBLE',
        `schema registry ${registry.url}: subject ${subject} refuses the schema of this version: ${messageOf(error)}; ` +
        'fields may be added only with a default, and none may change its type; to start afresh use another topic and subject');
    throw registryFailure(registry, `register ${subject}`, error);
  }
  registry.log.info('schema_registered', { subject, id });
  return { subject, id, created: true };
}

async function idOf(registry: Registry, subject: string, info: { schemaType: string; schema: string }): Promise<number | undefined> {
  try {
    return await registry.client.getId(subject, info);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw registryFailure(registry, `look up the schema of ${subject}`, error);
  }
}
