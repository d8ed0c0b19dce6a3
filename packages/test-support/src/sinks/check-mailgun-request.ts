import { MailgunRefusal, refuse } from './mailgun-refusal.js'

export interface MailgunRequest {
  method: string
  path: string
  authorization: string | undefined
  contentType: string | undefined
  body: Buffer
}

/** A domain is known in its region only. */
export interface MailgunDomain {
  name: string
  /** Default `us`. */
  region?: 'us' | 'eu'
}

export interface MailgunExpectation {
  apiKey: string
  domains: readonly MailgunDomain[]
  /** The path to which the request came. */
  region: 'us' | 'eu'
}

/** A request in order. */
export interface MailgunForm {
  domain: string
  recipient: string
  /** All but the mail. */
  fields: Record<string, string>
  /** The mail. */
  message: Buffer
  /** The name and type of the mail as a file. */
  file: { name: string; type: string }
}

const maxMessageBytes = 25 * 1024 * 1024
const maxOptionBytes = 16 * 1024

/**
 * Checks a request as Mailgun does, as far as that is documented or known from users, and what this project promises beside
 * it: one recipient, a mail whose lines end as a mail's do.
 * https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages
 * @throws MailgunRefusal
 */
export async function checkMailgunRequest(
  { method, path, authorization, contentType = '', body }: MailgunRequest,
  { apiKey, domains, region }: MailgunExpectation,
): Promise<MailgunForm> {
  const [, domain] = /^\/v3\/([^/]+)\/messages\.mime$/.exec(path) ?? []
  if (method !== 'POST' || domain === undefined) throw new MailgunRefusal(noSuchPath, 'There is no such path')
  if (!isAuthorized(authorization, apiKey)) throw new MailgunRefusal(forbidden, 'The key is not known')
  const known = domains.find(({ name }) => name === domain)
  if (known === undefined || (known.region ?? 'us') !== region) refuse(404, `Domain not found: ${domain}`)
  if (!contentType.startsWith('multipart/form-data')) {
    refuse(400, `Invalid request content type. Expecting 'multipart/form-data' but got '${contentType}'`)
  }
  const form = await parseForm(body, contentType)
  const recipient = readRecipient(form)
  const { name, type, content } = await readMessage(form)
  const fields = readFields(form)
  checkOptions(fields)
  return { domain, recipient, fields, message: content, file: { name, type } }
}

/** The recipient that a request names, if it can be told. */
export async function findMailgunRecipient(body: Buffer, contentType = ''): Promise<string | undefined> {
  try {
    const recipient = (await parseForm(body, contentType)).get('to')
    return typeof recipient === 'string' ? recipient : undefined
  } catch {
    return undefined
  }
}

const noSuchPath = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'Mailgun Magnificent API' }
const forbidden = { status: 401, headers: { 'content-type': 'text/plain' }, body: 'Forbidden' }

function isAuthorized(authorization = '', apiKey: string): boolean {
  const [, credentials = ''] = /^Basic (.+)$/.exec(authorization) ?? []
  return Buffer.from(credentials, 'base64').toString() === `api:${apiKey}`
}

async function parseForm(body: Buffer, contentType: string): Promise<FormData> {
  try {
    return await new Response(body, { headers: { 'content-type': contentType } }).formData()
  } catch {
    refuse(400, 'malformed multipart/form-data request')
  }
}

function readRecipient(form: FormData): string {
  const [recipient, ...others] = form.getAll('to')
  if (recipient === undefined || recipient === '') refuse(400, 'to parameter is missing')
  const isAddress = typeof recipient === 'string' && /^[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+$/.test(recipient)
  if (!isAddress) refuse(400, "'to' parameter is not a valid address. please check documentation")
  if (others.length > 0) refuse(400, 'Too many recipients; max is 1')
  return recipient
}

async function readMessage(form: FormData): Promise<{ name: string; type: string; content: Buffer }> {
  const [message, ...others] = form.getAll('message')
  if (message === undefined) refuse(400, 'message parameter is missing')
  if (typeof message === 'string' || others.length > 0) refuse(400, "'message' parameter is not a file")
  if (message.size > maxMessageBytes) refuse(413, 'Request Entity Too Large')
  const content = Buffer.from(await message.arrayBuffer())
  if (/(^|[^\r])\n|\r(?!\n)/.test(content.toString('latin1')))
    refuse(400, 'A line of the message does not end with CRLF')
  return { name: message.name, type: message.type, content }
}

function readFields(form: FormData): Record<string, string> {
  const entries = [...form.entries()].filter(([name]) => name !== 'message')
  if (entries.length > new Set(entries.map(([name]) => name)).size) refuse(400, 'A parameter is there twice')
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

const options = new Set([
  'o:testmode',
  'o:tracking',
  'o:tracking-clicks',
  'o:tracking-opens',
  'o:dkim',
  'o:require-tls',
])

function checkOptions(fields: Record<string, string>): void {
  const own = Object.entries(fields).filter(([name]) => name !== 'to')
  for (const [name, value] of own) {
    if (/^[hvt]:./.test(name)) continue
    if (!options.has(name)) refuse(400, `There is no parameter ${name}`)
    if (!/^(yes|no|true|false|htmlonly)$/.test(value)) refuse(400, `${name} is not yes or no`)
  }
  if (Buffer.byteLength(own.flat().join('')) <= maxOptionBytes) return
  refuse(400, 'Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total')
}
