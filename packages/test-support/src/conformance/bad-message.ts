import type { PublishProperties } from '../vhost-client.js'
import { readWorkspaceFile } from '../workspace.js'

/** A message that must be dead-lettered. */
export interface BadMessage {
  /** As the table "Bad input" of docs/failures.md, or the worker's own there, has it, to the letter. */
  input: string
  /** Of what the handler refuses, which is not in that table: it was tried once. */
  code?: string
  /** What the failure must name, where the table says "the field" or "the header". */
  named?: string
  /** How often the work was tried. Default: 1 with `code`, else 0. */
  attempts?: number
  routingKey?: string
  /** Tells it from all others: it must come back unchanged. Default: a valid body. */
  body?: string | Buffer
  properties?: PublishProperties
  /** For headers that amqplib refuses to send; then there are no `properties`. */
  uncheckedHeaders?: object
}

export interface DocumentedRefusal {
  input: string
  code: string
  named: string
}

/** The rows of the table below a heading of docs/failures.md. */
export async function readDocumentedRefusals(heading: string): Promise<DocumentedRefusal[]> {
  const page = await readWorkspaceFile('docs/failures.md')
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const rows = [...section.replace(/^## [\s\S]*/m, '').matchAll(/^\| (.+?) \| `(\w+)` \| (.+?) \|$/gm)]
  return rows.map(([, input = '', code = '', named = '']) => ({ input, code, named: named.replaceAll('`', '') }))
}

/** What can be wrong with any message, whatever its type. */
export const badForAnyType: BadMessage[] = [
  { input: 'a body that is not JSON, or not UTF-8', body: '{"not": json}' },
  { input: 'a body that is not JSON, or not UTF-8', body: Buffer.from([0x22, 0xff, 0x22]) },
  { input: 'a `type` that contradicts the routing key', properties: { type: 'email.message' } },
  { input: 'a body over 1 MiB', body: JSON.stringify('x'.repeat(1024 * 1024)) },
  { input: "`x-death: ['a']`", uncheckedHeaders: { 'x-death': ['a'] } },
  { input: "`x-death: 'boo'`", uncheckedHeaders: { 'x-death': 'boo' } },
  { input: '`x-attempts: -1e9`', properties: { headers: { 'x-attempts': -1e9 } } },
  {
    input: '70 KiB of headers (more than 32 KiB are refused)',
    uncheckedHeaders: { 'x-large': 'x'.repeat(70 * 1024) },
  },
  { input: 'a `message_id` of 129 bytes', properties: { messageId: 'x'.repeat(129) } },
  { input: "`x-tenant-id` other than the body's tenant", properties: { headers: { 'x-tenant-id': 4711 } } },
  { input: '`x-schema-version` other than 1', properties: { headers: { 'x-schema-version': 2 } } },
  {
    input: '`x-published-at` or `timestamp` that is no time',
    named: 'x-published-at',
    properties: { headers: { 'x-published-at': 'yesterday' } },
  },
  {
    input: '`x-published-at` or `timestamp` that is no time',
    named: 'timestamp',
    properties: { timestamp: 2 ** 52 },
  },
]
